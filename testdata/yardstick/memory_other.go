//go:build !linux && !darwin

package main

import "os"

// peakMemory is 0: this system does not report it.
func peakMemory(*os.ProcessState) int64 { return 0 }
