// SPDX-License-Identifier: Apache-2.0

// C allocations of a Go program: goroutines call the core check of C.
package main

/*
#define _GNU_SOURCE
#include "core_check.h"
*/
import "C"

import (
	"os"
	"sync"
	"unsafe"
)

func main() {
	C.core_check()
	var wait sync.WaitGroup
	for i := 0; i < 4; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for j := 0; j < 50; j++ {
				C.check_life()
			}
		}()
	}
	wait.Wait()
	secret := C.new_secret(64)
	C.hold()
	C.free(unsafe.Pointer(secret))
	os.Exit(int(C.core_done()))
}
