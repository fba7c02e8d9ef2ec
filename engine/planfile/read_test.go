package planfile

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/ids"
)

func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"schema\":1,\"kind\":\"plan\"}\n{\"kind\":\"create\",\"id\":\"a\",\"part\":\"s\",\"digest\":\"00112233445566778899aabbccddeeff\"}\n{\"kind\":\"end\",\"changes\":1,\"sha256\":\"\"}\n"))
	f.Add([]byte("{\"schema\":1,\"kind\":\"plan\"}\n{\"kind\":\"end\"}\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p := &Plan{scopes: map[string]bool{}, changes: map[ids.Key]planned{}}
		if err := p.read(bufio.NewReader(bytes.NewReader(raw))); err == nil && !bytes.Contains(raw, []byte(`"sha256"`)) {
			t.Errorf("a plan without a digest: %q", raw)
		}
	})
}
