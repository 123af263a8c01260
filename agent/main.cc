// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/app.h"

int main(int argc, char** argv) { return pagewarden::RunApp(argc, argv); }
