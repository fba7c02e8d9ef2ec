package link

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

const (
	beginMark = "-----BEGIN "
	endMark   = "-----END "
	dashes    = "-----"
)

// ParseCertificates reads certificates in the forms in which they are pasted into a form or a configuration file:
// PEM, PEM whose line breaks were replaced by spaces or "\n" or removed, the bare base64 of a certificate, or its DER
// bytes. PEM may contain several.
func ParseCertificates(text string) ([]*x509.Certificate, error) {
	if c, err := x509.ParseCertificates([]byte(text)); err == nil && len(c) > 0 {
		return c, nil
	}
	text = strings.NewReplacer(`\r`, "\n", `\n`, "\n").Replace(strings.TrimSpace(text))
	if text == "" {
		return nil, errors.New("it is empty")
	}
	if !strings.Contains(text, beginMark) {
		der, err := base64.StdEncoding.DecodeString(withoutSpace(text))
		if err != nil {
			return nil, errors.New("it is neither PEM nor the base64 of a certificate")
		}
		return parseDER(der, 1)
	}
	var all []*x509.Certificate
	for n := 1; ; n++ {
		start := strings.Index(text, beginMark)
		if start < 0 {
			break
		}
		label, body, rest, err := cutBlock(text[start:])
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", n, err)
		}
		text = rest
		if label != "CERTIFICATE" && label != "TRUSTED CERTIFICATE" && label != "X509 CERTIFICATE" {
			return nil, fmt.Errorf("block %d is a %s, not a certificate", n, strings.ToLower(label))
		}
		der, err := base64.StdEncoding.DecodeString(withoutSpace(body))
		if err != nil {
			return nil, fmt.Errorf("block %d is not valid base64", n)
		}
		certificates, err := parseDER(der, n)
		if err != nil {
			return nil, err
		}
		all = append(all, certificates...)
	}
	return all, nil
}

// cutBlock takes the first block off the text, which begins with its begin mark.
func cutBlock(text string) (label, body, rest string, err error) {
	label, after, ok := strings.Cut(text[len(beginMark):], dashes)
	if !ok || strings.Contains(label, "\n") {
		return "", "", "", errors.New("its first line is cut off")
	}
	end := endMark + label + dashes
	body, rest, ok = strings.Cut(after, end)
	if !ok {
		return "", "", "", fmt.Errorf("%q is missing", end)
	}
	return label, body, rest, nil
}

func parseDER(der []byte, n int) ([]*x509.Certificate, error) {
	c, err := x509.ParseCertificates(der)
	if err != nil || len(c) == 0 {
		return nil, fmt.Errorf("block %d is not a certificate", n)
	}
	return c, nil
}

func withoutSpace(s string) string { return strings.Join(strings.Fields(s), "") }
