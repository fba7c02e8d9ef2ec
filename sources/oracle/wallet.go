package oracle

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sijms/go-ora/v2/configurations"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// A wallet is a folder with certificates in the formats of Oracle's programs, see
// https://docs.oracle.com/en/database/oracle/oracle-database/19/dbseg/using-the-orapki-utility-to-manage-pki-elements.html.
// cwallet.sso is the one that needs no password, ewallet.pem the text format that comes with databases in
// Oracle's cloud. The driver accepts a wallet only together with a service name; here it is only
// the source of a TLS configuration.

const (
	autoLogin   = "cwallet.sso"
	textWallet  = "ewallet.pem"
	lockedStore = "ewallet.p12" // needs a password, for which there is no option
)

// tlsOf is the TLS configuration with the certificates of a wallet, or with the system's authorities if
// none is configured. The driver adds the server's name, which the certificate is checked for.
func tlsOf(wallet string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if wallet == "" {
		return c, nil
	}
	certificates, keys, err := readWallet(wallet)
	if err == nil {
		err = useCertificates(c, certificates, keys)
	}
	if err == nil {
		return c, nil
	}
	hint := "name the folder that contains " + autoLogin + " or " + textWallet
	if _, missing := os.Stat(filepath.Join(wallet, lockedStore)); missing == nil {
		hint = "there is no option for the password of " + lockedStore + "; create a wallet without one: orapki wallet create -wallet FOLDER -auto_login"
	}
	return nil, form.ConfigError(fmt.Errorf("wallet_configuration_path: %w", err), hint)
}

// readWallet reads the certificates and the private keys of a wallet, as DER.
func readWallet(folder string) (certificates, keys [][]byte, err error) {
	path := filepath.Join(folder, autoLogin)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		w, err := openWallet(path)
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", autoLogin, err)
		}
		return w.Certificates, w.PrivateKeys, nil
	}
	text, err := os.ReadFile(filepath.Join(folder, textWallet))
	if err != nil {
		return nil, nil, fmt.Errorf("neither %s nor %s exists: %w", autoLogin, textWallet, err)
	}
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		switch b.Type {
		case "CERTIFICATE":
			certificates = append(certificates, b.Bytes)
		case "PRIVATE KEY", "RSA PRIVATE KEY":
			keys = append(keys, b.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, nil, fmt.Errorf("the key in %s has a password", textWallet)
		}
	}
	return certificates, keys, nil
}

// openWallet lets the driver read a wallet. The driver trusts the offsets in the file.
func openWallet(path string) (w *configurations.Wallet, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it is damaged")
		}
	}()
	return configurations.NewWallet(path)
}

// useCertificates trusts the certificates of a wallet, and shows the server those with a private key.
// As in Oracle's own programs, a wallet replaces the system's authorities.
func useCertificates(c *tls.Config, certificates, keys [][]byte) error {
	c.RootCAs = x509.NewCertPool()
	for _, der := range certificates {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("a certificate: %w", err)
		}
		c.RootCAs.AddCert(certificate)
	}
	if len(certificates) == 0 {
		return errors.New("it contains no certificate")
	}
	for _, key := range keys {
		for _, certificate := range certificates {
			// A certificate and a key that do not belong together give an error.
			pair, err := tls.X509KeyPair(pemOf("CERTIFICATE", certificate), pemOf("PRIVATE KEY", key))
			if err == nil {
				c.Certificates = append(c.Certificates, pair)
			}
		}
	}
	if len(keys) > 0 && len(c.Certificates) == 0 {
		return errors.New("no certificate in it belongs to its private key")
	}
	return nil
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
