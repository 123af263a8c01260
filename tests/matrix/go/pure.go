// SPDX-License-Identifier: Apache-2.0

// A Go program without a libc: goroutines, collections, a child process.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
)

func churn(wait *sync.WaitGroup) {
	defer wait.Done()
	for i := 0; i < 1000; i++ {
		block := make([]byte, 10000)
		block[i] = 1
	}
}

func main() {
	var wait sync.WaitGroup
	for i := 0; i < 4; i++ {
		wait.Add(1)
		go churn(&wait)
	}
	wait.Wait()
	runtime.GC()
	if err := exec.Command("/bin/true").Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
	fmt.Println("go: works")
	os.Exit(7)
}
