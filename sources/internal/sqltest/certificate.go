package sqltest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Identity is a certificate and its key.
type Identity struct {
	Certificate *x509.Certificate
	PEM, KeyPEM string
	key         *ecdsa.PrivateKey
}

// SelfSigned creates a self-signed certificate for a host, which can also sign others.
func SelfSigned(t testing.TB, host string) *Identity {
	t.Helper()
	return identify(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, nil)
}

// Issue creates a certificate that this one has signed, for a server on 127.0.0.1 or for a client of that name.
func (i *Identity) Issue(t testing.TB, name string) *Identity {
	t.Helper()
	return identify(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, i)
}

// identify creates a key and signs the certificate, by itself if no authority is given.
func identify(t testing.TB, template *x509.Certificate, authority *Identity) *Identity {
	t.Helper()
	i := &Identity{}
	var der, secret []byte
	var err error
	if i.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, i.key
	if authority != nil {
		parent, signer = authority.Certificate, authority.key
	}
	if der, err = x509.CreateCertificate(rand.Reader, template, parent, &i.key.PublicKey, signer); err != nil {
		t.Fatal(err)
	}
	if i.Certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	if secret, err = x509.MarshalPKCS8PrivateKey(i.key); err != nil {
		t.Fatal(err)
	}
	i.PEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	i.KeyPEM = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	return i
}

// TLS is the certificate with its key, as a server or a client shows it.
func (i *Identity) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{i.Certificate.Raw}, PrivateKey: i.key}
}

// OtherCA is the certificate, as PEM, of an authority that has signed nothing else.
func OtherCA(t testing.TB) string {
	t.Helper()
	return SelfSigned(t, "other").PEM
}

// AuthoritiesAreRead checks that the authority of the server's certificate is trusted in each form in which people paste
// it. works reads with it.
func AuthoritiesAreRead(t *testing.T, ca string, works func(ca string) error) {
	t.Helper()
	for name, text := range map[string]string{
		"unchanged": ca,
		"one line":  strings.Join(strings.Fields(ca), " "),
		"two":       ca + OtherCA(t),
		"CRLF":      strings.ReplaceAll(ca, "\n", "\r\n"),
	} {
		if err := works(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// AnUnknownAuthorityIsRefused checks that a source that trusts only another authority than the server's does not
// connect, and does not try again.
func AnUnknownAuthorityIsRefused(t *testing.T, w Way) {
	t.Helper()
	pauses := w.NoPauses()
	Refuse(t, w.Source.Ping(t.Context()), source.ErrConfig, "signed by unknown authority", "ssl_ca must contain")
	if pauses.Load() != 0 {
		t.Error("an untrusted certificate was tried again")
	}
}
