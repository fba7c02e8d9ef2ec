package commands

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// pty is a program on a terminal of its own.
type pty struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	mu     sync.Mutex
	all    string
	seen   int // bytes of all that were awaited
	more   chan struct{}
}

// onTerminal starts a program on a terminal with that many columns.
func onTerminal(t *testing.T, columns uint16, c *exec.Cmd) *pty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	ioctl := func(request uintptr, argument unsafe.Pointer) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(argument)); errno != 0 {
			t.Fatal(errno)
		}
	}
	var unlocked, number int32
	ioctl(syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked))
	ioctl(syscall.TIOCGPTN, unsafe.Pointer(&number))
	size := [4]uint16{50, columns}
	ioctl(syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	c.Stdin, c.Stdout, c.Stderr = slave, slave, slave
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := slave.Close(); err != nil {
		t.Fatal(err)
	}
	p := &pty{t: t, master: master, cmd: c, more: make(chan struct{}, 1)}
	go p.read() // ends with the terminal
	t.Cleanup(func() { _ = c.Process.Kill(); _ = master.Close() })
	return p
}

func (p *pty) read() {
	buf := make([]byte, 4096)
	for {
		n, err := p.master.Read(buf)
		p.mu.Lock()
		p.all += strings.ReplaceAll(string(buf[:n]), "\r\n", "\n")
		p.mu.Unlock()
		select {
		case p.more <- struct{}{}:
		default:
		}
		if err != nil {
			close(p.more)
			return
		}
	}
}

// patience is how long a test waits for a program on a terminal.
const patience = 2 * time.Minute

// await waits until the program has written a text after what was awaited before, and returns what it wrote up to
// there.
func (p *pty) await(text string) string {
	p.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for open := true; ; {
		p.mu.Lock()
		before, _, found := strings.Cut(p.all[p.seen:], text)
		if found {
			p.seen += len(before) + len(text)
		}
		all := p.all
		p.mu.Unlock()
		switch {
		case found:
			return before + text
		case !open:
			p.t.Fatalf("the program ended without %q:\n%s", text, all)
		}
		select {
		case _, open = <-p.more:
		case <-timer.C:
			p.t.Fatalf("no %q within %s:\n%s", text, patience, all)
		}
	}
}

// send types a text.
func (p *pty) send(text string) {
	p.t.Helper()
	if _, err := p.master.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
}

// answer awaits a question and types the answer and the return key.
func (p *pty) answer(question, text string) {
	p.t.Helper()
	p.await(question)
	p.send(text + "\n")
}

// end waits for the end of the program and returns its exit code and everything it wrote.
func (p *pty) end() (code int, all string) {
	p.t.Helper()
	timer := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	_ = p.cmd.Wait()
	for range p.more { // until everything is read
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.ProcessState.ExitCode(), p.all
}

// echoes reports whether the terminal shows what is typed.
func (p *pty) echoes() bool {
	p.t.Helper()
	var state syscall.Termios
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, p.master.Fd(), syscall.TCGETS, uintptr(unsafe.Pointer(&state))); errno != 0 {
		p.t.Fatal(errno)
	}
	return state.Lflag&syscall.ECHO != 0
}
