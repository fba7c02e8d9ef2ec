package commands_test

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// smbBench is a [bench] whose source is a folder of an SMB share, see testdata/services.
type smbBench struct {
	*bench
	folder string // on this machine
	name   string // in the share
	owner  int
}

func newSMBBench(t *testing.T, elasticsearch string) *smbBench {
	t.Helper()
	root := testenv.Required(t, "TEST_SMB_PATH")
	b := &smbBench{bench: newBenchOf(t, elasticsearch)}
	b.secret = os.Getenv("TEST_SMB_PASSWORD")
	u, err := user.Lookup(os.Getenv("TEST_SMB_USER"))
	if err != nil {
		testenv.Missing(t, "the server's user does not exist on this machine: %v", err)
	}
	b.owner, _ = strconv.Atoi(u.Uid)
	if b.folder, err = os.MkdirTemp(root, "e"); err != nil { //nolint:usetesting // it lies in the share
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(b.folder) })
	b.name = filepath.Base(b.folder)
	b.give(b.folder)
	return b
}

// give gives the server's user a file or folder.
func (b *smbBench) give(path string) {
	b.t.Helper()
	if err := os.Lchown(path, b.owner, -1); err != nil {
		testenv.Missing(b.t, "the tests cannot create files of another user: %v", err)
	}
}

func (b *smbBench) file(name, text string) {
	b.t.Helper()
	full := filepath.Join(b.folder, filepath.FromSlash(name))
	for _, err := range []error{os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(text), 0o600)} {
		if err != nil {
			b.t.Fatal(err)
		}
	}
	b.give(full)
	b.give(filepath.Dir(full))
}

// configure writes the configuration for a server and a user.
func (b *smbBench) configure(address, username, more string) {
	b.t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.write("network_drive", fmt.Sprintf("server_ip: %q, server_port: %s, username: %s, drive_path: %q%s",
		host, port, username, os.Getenv("TEST_SMB_SHARE")+"/"+b.name, more), "")
}

// TestNetworkDrive: the typical changes on a share.
func TestNetworkDrive(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newSMBBench(t, elasticsearch)
		b.configure(os.Getenv("TEST_SMB_ADDR"), os.Getenv("TEST_SMB_USER"), "")
		for i := range 50 {
			b.file(fmt.Sprintf("a/%02d.txt", i), fmt.Sprint("text ", i))
		}
		b.file("shut/b.txt", "b")
		b.file("c.txt", "c")
		b.must(1, "diff")
		if res := b.must(0, "sync"); res != (result{Created: 54}) { // 52 files, 2 folders
			t.Fatalf("first: %+v", res)
		}
		// A run that writes nothing opens nothing: files that can be listed but not opened are not failures.
		if err := os.Chmod(filepath.Join(b.folder, "a", "00.txt"), 0); err != nil {
			t.Fatal(err)
		}
		if res := b.must(0, "sync"); res.Created+res.Updated+res.Deleted != 0 {
			t.Fatalf("second: %+v", res)
		}
		b.refuse(t)
		b.guests(t)

		// A renamed folder, and the files in it, are documents with other paths.
		rename := func(from, to string) {
			if err := os.Rename(filepath.Join(b.folder, from), filepath.Join(b.folder, to)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(filepath.Join(b.folder, "a", "00.txt"), 0o600); err != nil {
			t.Fatal(err)
		}
		rename("a", "b")
		rename("b/01.txt", "b/x.txt")
		if res := b.must(0, "sync", "--max-deletes", "100"); res.Created != 51 || res.Deleted != 51 {
			t.Fatalf("renamed: %+v", res)
		}
		if res := b.must(0, "sync"); res.Created+res.Updated+res.Deleted != 0 {
			t.Fatalf("after renaming: %+v", res)
		}
	})
}

// refuse revokes the access to a folder: only the folder fails, and nothing in it is deleted.
func (b *smbBench) refuse(t *testing.T) {
	t.Helper()
	shut := filepath.Join(b.folder, "shut")
	if err := os.Chown(shut, 0, -1); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shut, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(b.folder, "c.txt")); err != nil {
		t.Fatal(err)
	}
	if res := b.must(3, "sync"); res.Deleted != 1 || res.Withheld != 1 {
		t.Errorf("a folder without rights: %+v", res)
	}
	o := b.run("sync")
	for _, say := range []string{"docs/" + b.name + "/shut", "was deleted", "grant this user read access"} {
		if o.code != 3 || !strings.Contains(o.stderr, say) {
			t.Errorf("exit code %d, no %q in\n%s", o.code, say, o.stderr)
		}
	}
	if err := os.Chmod(shut, 0o755); err != nil {
		t.Fatal(err)
	}
	b.file("c.txt", "c")
	b.must(0, "sync")
}

// guests: the server accepts a mistyped user as a guest, who sees less; nothing is written or deleted.
func (b *smbBench) guests(t *testing.T) {
	t.Helper()
	guests := os.Getenv("TEST_SMB_GUEST_ADDR")
	if guests == "" {
		t.Log("TEST_SMB_GUEST_ADDR is not set")
		return
	}
	b.configure(guests, "alcie", "")
	o := b.run("sync", "--max-deletes", "1000", "--allow-empty")
	if o.code != 6 || !strings.Contains(o.stderr, "as a guest") {
		t.Errorf("a guest: exit code %d\n%s", o.code, o.stderr)
	}
	b.configure(os.Getenv("TEST_SMB_ADDR"), os.Getenv("TEST_SMB_USER"), ", use_document_level_security: true")
	if o := b.run("sync"); o.code != 2 || !strings.Contains(o.stderr, "access lists are not read") {
		t.Errorf("document level security: exit code %d\n%s", o.code, o.stderr)
	}
	b.configure(os.Getenv("TEST_SMB_ADDR"), os.Getenv("TEST_SMB_USER"), "")
	if o := b.run("sync", "--type", "access_control"); o.code != 2 || !strings.Contains(o.stderr, "access control") {
		t.Errorf("access control: exit code %d\n%s", o.code, o.stderr)
	}
	if res := b.must(0, "sync"); res.Created+res.Updated+res.Deleted != 0 {
		t.Errorf("after that: %+v", res)
	}
}
