package tdstest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"time"
)

// newCertificate creates a self-signed certificate for localhost, and its PEM. selfMade makes it look like the
// certificate of a SQL Server that was given none.
func newCertificate(selfMade bool) (*tls.Config, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tdstest"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if selfMade {
		template.Subject.CommonName = "SSL_Self_Signed_Fallback"
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err == nil && selfMade {
		der, err = negated(der, key)
	}
	if err != nil {
		return nil, nil, err
	}
	cfg := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		MinVersion:   tls.VersionTLS12,
		// In 1.3 a server continues once the client considers the handshake complete, when packets end.
		MaxVersion: tls.VersionTLS12,
	}
	return cfg, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// negated is a certificate with a negative number instead of 1, which Go does not create. It is signed again.
func negated(der []byte, key *ecdsa.PrivateKey) ([]byte, error) {
	var c struct {
		Signed    asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &c); err != nil {
		return nil, err
	}
	number := []byte{0xa0, 3, 2, 1, 2, 2, 1, 1} // version 3, then the integer 1
	at := bytes.Index(c.Signed.FullBytes, number)
	if at < 0 {
		return nil, errors.New("the certificate has its number elsewhere")
	}
	c.Signed.FullBytes[at+len(number)-1] = 0xff // -1
	digest := sha256.Sum256(c.Signed.FullBytes)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	c.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	return asn1.Marshal(c)
}

// handshake is the TLS handshake, whose records are in packets of PRELOGIN until it is complete.
func handshake(ctx context.Context, conn net.Conn, cfg *tls.Config) (*tls.Conn, error) {
	wrapped := &handshakeConn{Conn: conn, packets: true}
	encrypted := tls.Server(wrapped, cfg)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	wrapped.packets = false
	return encrypted, nil
}

// handshakeConn is used by one goroutine until the handshake is done.
type handshakeConn struct {
	net.Conn

	packets bool
	rest    bytes.Reader
}

func (c *handshakeConn) Read(b []byte) (int, error) {
	if c.rest.Len() > 0 {
		return c.rest.Read(b)
	}
	if !c.packets {
		return c.Conn.Read(b)
	}
	m, err := readMessage(c.Conn)
	if err != nil {
		return 0, err
	}
	if len(m.body) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	c.rest.Reset(m.body)
	return c.rest.Read(b)
}

func (c *handshakeConn) Write(b []byte) (int, error) {
	if !c.packets {
		return c.Conn.Write(b)
	}
	packet := []byte{packetPrelogin, statusEnd}
	packet = binary.BigEndian.AppendUint16(packet, uint16(headerSize+len(b)))
	packet = append(packet, 0, 0, 1, 0)
	if _, err := c.Conn.Write(append(packet, b...)); err != nil {
		return 0, err
	}
	return len(b), nil
}
