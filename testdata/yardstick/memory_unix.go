//go:build linux || darwin

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory is the peak resident memory of an ended process in bytes. macOS counts it in bytes, Linux in KiB.
func peakMemory(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	peak := int64(usage.Maxrss) //nolint:unconvert // it has 32 bits on 32-bit systems
	if runtime.GOOS == "linux" {
		peak <<= 10
	}
	return peak
}
