package mssqltest

import (
	"math/big"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// wire is a value as the protocol's server takes it.
func wire(v value) any {
	switch x := v.v.(type) {
	case *big.Rat:
		return x.FloatString(v.typ.scale)
	case value:
		return tdstest.Variant{Column: x.typ.column("", false), Value: wire(x)}
	case string:
		switch {
		case v.typ.isCLR():
			return []byte(x) // what a client cannot know without the program of the type
		case v.typ.isUTF8():
			return []byte(x)
		case !v.typ.isWide() && v.typ.isText() && collationBytes(v.typ.collation) == collationBytes("Czech_CI_AS"):
			return czech(x)
		}
	}
	return v.v
}

// czech writes a text in the code page 1250, of which only the letters of Czech are known.
func czech(text string) []byte {
	letters := map[rune]byte{
		'á': 0xe1, 'č': 0xe8, 'ď': 0xef, 'é': 0xe9, 'ě': 0xec, 'í': 0xed, 'ň': 0xf2, 'ó': 0xf3, 'ř': 0xf8, 'š': 0x9a, 'ť': 0x9d, 'ú': 0xfa,
		'ů': 0xf9, 'ý': 0xfd, 'ž': 0x9e,
	}
	out := []byte{}
	for _, r := range text {
		switch b, ok := letters[r]; {
		case ok:
			out = append(out, b)
		case r < 0x80:
			out = append(out, byte(r))
		default:
			out = append(out, '?')
		}
	}
	return out
}
