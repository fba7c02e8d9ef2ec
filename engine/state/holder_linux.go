package state

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// holder finds the lock in the kernel's list, see proc_locks(5). To try the lock would be to take it, if only for
// a moment, and a run that starts in that moment would end.
func holder(file string) Held {
	list, err := os.Open("/proc/locks")
	if err != nil {
		return Held{}
	}
	defer list.Close() //nolint:errcheck // it was only read
	held := Held{Known: true}
	info, err := os.Stat(file)
	if err != nil { // no run has locked it yet
		return held
	}
	is, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Held{}
	}
	dev := uint64(is.Dev) //nolint:unconvert // its type differs between architectures
	major, minor := dev>>8&0xfff|dev>>32&^0xfff, dev&0xff|dev>>12&^0xff
	wanted := fmt.Sprintf("%02x:%02x:%d", major, uint32(minor), is.Ino)
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		// 1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF
		words := strings.Fields(lines.Text())
		if len(words) < 6 || words[1] != "FLOCK" || words[5] != wanted {
			continue
		}
		held.Held = true
		held.PID, _ = strconv.Atoi(words[4])
	}
	return held
}
