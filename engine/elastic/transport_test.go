package elastic

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTrustedCertificates: a server with an unknown certificate is trusted only if a file, a
// fingerprint or carelessness says so.
func TestTrustedCertificates(t *testing.T) {
	t.Parallel()
	s := serveTLS(t, nil)

	cert := s.Certificate()
	dir := t.TempDir()
	ca, empty := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "empty.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	for file, text := range map[string][]byte{ca: certPEM, empty: []byte("nothing")} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256(cert.Raw)
	fingerprint := hex.EncodeToString(sum[:])
	for _, tc := range []struct {
		name string
		conf TLS
		good bool
	}{
		{"no one", TLS{}, false},
		{"the authority's file", TLS{CAFile: ca}, true},
		{"the fingerprint", TLS{CAFingerprint: fingerprint}, true},
		{"the fingerprint with colons and capitals", TLS{CAFingerprint: colons(strings.ToUpper(fingerprint))}, true},
		{"another fingerprint", TLS{CAFingerprint: strings.Repeat("0", 64)}, false},
		{"everybody", TLS{Insecure: true}, true},
	} {
		_, err := newClient(t, Config{URL: s.URL, Transport: patientTransport(t, tc.conf)}).Ping(t.Context())
		if (err == nil) != tc.good || err != nil && (!errors.Is(err, ErrConfig) || !strings.Contains(Hint(err), "ca_certs")) {
			t.Errorf("%s: %v, hint %q", tc.name, err, Hint(err))
		}
	}
	for name, conf := range map[string]TLS{
		"no file":               {CAFile: filepath.Join(dir, "absent.pem")},
		"no certificate":        {CAFile: empty},
		"no fingerprint":        {CAFingerprint: "abc"},
		"no client certificate": {CertFile: empty, KeyFile: empty},
	} {
		if _, err := NewTransport(conf, 1); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func colons(s string) string {
	var pairs []string
	for i := 0; i < len(s); i += 2 {
		pairs = append(pairs, s[i:i+2])
	}
	return strings.Join(pairs, ":")
}
