package networkdrive

import (
	"maps"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// samba is the server of the tests: a share whose folder lies on this machine.
type samba struct{ address, share, user, password, folder string }

// needsSamba skips a test that finds no server; where servers can be started that is a failure.
func needsSamba(t *testing.T) samba {
	t.Helper()
	return samba{
		testenv.Required(t, "TEST_SMB_ADDR"), os.Getenv("TEST_SMB_SHARE"), os.Getenv("TEST_SMB_USER"), os.Getenv("TEST_SMB_PASSWORD"),
		testenv.Required(t, "TEST_SMB_PATH"),
	}
}

// folderOf makes a folder of the test's own in the share and returns its name and its place on this machine.
func (s samba) folderOf(t *testing.T, entries map[string]string) (name, local string) {
	t.Helper()
	local, err := os.MkdirTemp(s.folder, "t") //nolint:usetesting // it lies in the share
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(local) })
	for file, data := range entries {
		full := filepath.Join(local, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s.own(t, local)
	return filepath.Base(local), local
}

// own gives what is in a folder to the user who reads it.
func (s samba) own(t *testing.T, folder string) {
	t.Helper()
	u, err := user.Lookup(s.user)
	if err != nil {
		t.Skipf("the server's user is none of this machine: %v", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	err = filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, -1)
	})
	if err != nil {
		t.Skipf("the tests may not make files of another user: %v", err)
	}
}

func (s samba) values(path string, more map[string]any) map[string]any {
	host, port, _ := net.SplitHostPort(s.address)
	n, _ := strconv.Atoi(port)
	raw := map[string]any{
		"username": s.user, "password": s.password, "server_ip": host, "server_port": n, "drive_path": strings.TrimSuffix(s.share+"/"+path, "/"),
	}
	maps.Copy(raw, more)
	return raw
}

func opened(t *testing.T, raw map[string]any, env source.Env) source.Source {
	t.Helper()
	return sourcetest.Open(t, &Type, raw, env)
}

// readEach reads all parts: documents by their paths below the configured one, and errors by scopes.
func readEach(t *testing.T, src source.Source) (docs map[string]document.Document, failed map[string]error) {
	t.Helper()
	r := sourcetest.Read(t, src.Parts(t.Context()))
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	docs = map[string]document.Document{}
	root := src.(*drive).roots[0]
	for _, doc := range r.Docs {
		_, below, _ := strings.Cut(textOf(t, doc, pathField), root+`\`)
		docs[strings.ReplaceAll(below, `\`, "/")] = doc
	}
	return docs, r.Failed
}

func textOf(t *testing.T, d document.Document, name string) string {
	t.Helper()
	v, ok := d.Lookup(name)
	if !ok {
		t.Fatalf("document %q has no field %q", d.ID, name)
	}
	return v.Text()
}
