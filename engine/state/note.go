package state

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
)

// note is the process that holds a lock, as it describes itself. It is only for messages: the lock alone
// decides who may run.
type note struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// mostOfHolder is more than any holder writes.
const mostOfHolder = 4 << 10

// longestHost is the maximum length of a host name in DNS.
const longestHost = 253

// NoteHolder notes that this process holds the lock of an index, for the message of a process that finds it
// locked. An index "" stands for the complete destination. The note is beside the lock file, because some
// systems do not let others read a locked file. If it cannot be written, that message is shorter.
func (d Dir) NoteHolder(destination, index string, now time.Time) (remove func()) {
	file := d.holderFile(destination, index)
	host, err := os.Hostname()
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	var raw []byte
	if err == nil {
		raw, err = json.Marshal(note{os.Getpid(), host, now.UTC()})
	}
	if err == nil {
		err = ownfile.Check(file)
	}
	if err != nil || ownfile.Replace(file, raw, 0o600) != nil {
		return func() {}
	}
	return func() { _ = os.Remove(file) }
}

// HeldBy describes the holder of a lock, to be appended to a message: " (pid 4711 on db1 since
// 2030-01-02T03:04:05Z)". It is "" if that is unknown, or if the process no longer exists. The file may contain
// anything.
func (d Dir) HeldBy(destination, index string) string {
	file := d.holderFile(destination, index)
	if ownfile.Check(file) != nil {
		return ""
	}
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // it was only read
	raw, err := io.ReadAll(io.LimitReader(f, mostOfHolder))
	var h note
	if err != nil || json.Unmarshal(raw, &h) != nil || !h.plausible() {
		return ""
	}
	return fmt.Sprintf(" (pid %d on %s since %s)", h.PID, h.Host, h.Since.UTC().Format(time.RFC3339))
}

// plausible reports whether a process of this program may have written the note and may still run.
func (h *note) plausible() bool {
	odd := func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '.' && r != '_'
	}
	if h.PID <= 0 || h.Host == "" || len(h.Host) > longestHost || strings.ContainsFunc(h.Host, odd) || h.Since.IsZero() {
		return false
	}
	if host, err := os.Hostname(); err != nil || host != h.Host {
		return true
	}
	p, err := os.FindProcess(h.PID)
	if err != nil {
		return false
	}
	defer p.Release()                                       //nolint:errcheck // it is not used any more
	return p.Signal(syscall.Signal(0)) != os.ErrProcessDone //nolint:errorlint // it is returned as is; other errors do not say that
}

func (d Dir) holderFile(destination, index string) string {
	return filepath.Join(string(d), "locks", Key(destination, index)+".holder")
}
