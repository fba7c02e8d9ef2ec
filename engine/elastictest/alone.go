package elastictest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gofrs/flock"
)

// alone are the tests of this process that poll on a server, by its address.
var alone sync.Map

// Alone waits until no other test polls on a server, in this process or another, and makes the others wait until the
// caller's test has ended. A poll ends the orphaned jobs of all connectors, and each test has its own clock.
func Alone(t *testing.T, url string) {
	t.Helper()
	here, _ := alone.LoadOrStore(url, &sync.Mutex{})
	here.(*sync.Mutex).Lock()
	t.Cleanup(here.(*sync.Mutex).Unlock)
	sum := sha256.Sum256([]byte(url))
	others := flock.New(filepath.Join(os.TempDir(), "elastic-ingest-polls-"+hex.EncodeToString(sum[:8])))
	if err := others.Lock(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = others.Close() })
}
