package link

import (
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func TestParseCertificates(t *testing.T) {
	t.Parallel()
	one, two := sqltest.OtherCA(t), sqltest.OtherCA(t)
	block, _ := pem.Decode([]byte(one))
	for _, tt := range []struct {
		name, text string
		want       int
		fails      string
	}{
		{"unchanged", one, 1, ""},
		{"two", one + two, 2, ""},
		{"text around it", "the authority:\n" + one + "\nand the other:\n" + two, 2, ""},
		{"blanks for line breaks", strings.ReplaceAll(one, "\n", " "), 1, ""},
		{"no line breaks", strings.ReplaceAll(one, "\n", ""), 1, ""},
		{"two in one line", strings.Join(strings.Fields(one+two), " "), 2, ""},
		{"carriage returns", strings.ReplaceAll(one, "\n", "\r\n"), 1, ""},
		{"escaped line breaks", strings.ReplaceAll(one, "\n", `\n`), 1, ""},
		{"indented", strings.ReplaceAll("\n"+one, "\n", "\n   "), 1, ""},
		{"bare base64", base64.StdEncoding.EncodeToString(block.Bytes), 1, ""},
		{"DER", string(block.Bytes), 1, ""},
		{"empty", " ", 0, "empty"},
		{"garbage", "hello", 0, "neither PEM nor"},
		{"base64 of something else", "aGVsbG8=", 0, "block 1 is not a certificate"},
		{"second is garbage", one + "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", 0, "block 2 is not valid base64"},
		{"second is cut off", one + two[:len(two)-30], 0, "block 2: "},
		{"first line is cut off", "-----BEGIN CERT", 0, "block 1: its first line"},
		{"a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", 0, "block 1 is a private key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseCertificates(tt.text)
			if len(got) != tt.want || (err != nil) != (tt.fails != "") {
				t.Fatalf("got %d, %v; want %d, %s", len(got), err, tt.want, tt.fails)
			}
			if err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("got %v, want %s", err, tt.fails)
			}
		})
	}
}

func FuzzParseCertificates(f *testing.F) {
	f.Add("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := ParseCertificates(text); err == nil && len(got) == 0 && strings.Contains(text, beginMark) {
			t.Error("neither a certificate nor an error")
		}
	})
}
