//go:build unix

package state

import "syscall"

// writable asks the system, which also knows lists of access and read-only file systems.
func writable(folder string) error {
	const write, enter = 2, 1
	return syscall.Access(folder, write|enter)
}
