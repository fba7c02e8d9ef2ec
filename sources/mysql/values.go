package mysql

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The converters of the encoding exact; see [columnType].

func toText(c *cell) (document.Value, string) {
	return sqlread.Text(c.text)
}

func toInt(c *cell) (document.Value, string) {
	if c.integer {
		return document.Int(c.num), ""
	}
	n, err := strconv.ParseUint(c.text, 10, 64)
	if err != nil {
		return document.Null(), "not an integer of 64 bits"
	}
	return document.Uint(n), ""
}

// toDigits is for integers, some of which are too large for a field of the type long.
func toDigits(c *cell) (document.Value, string) {
	if c.integer {
		return document.Decimal(strconv.FormatInt(c.num, 10)), ""
	}
	return document.Decimal(c.text), ""
}

// toFloat writes the shortest digits that identify a float of its size.
func toFloat(c *cell) (document.Value, string) {
	f := c.f
	if c.bits == 32 {
		f, _ = strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64) // FormatFloat wrote it
	}
	return document.Float(f), ""
}

func toDecimal(c *cell) (document.Value, string) { return document.Decimal(c.text), "" }

func toBytes(c *cell) (document.Value, string) { return document.Bytes([]byte(c.text)), "" }

func toFlag(c *cell) (document.Value, string) { return document.Bool(bitsOf(c.text) != 0), "" }

func toBits(c *cell) (document.Value, string) {
	if len(c.text) > 6 { // in the result of a query the number of bits is unknown
		return toLongBits(c)
	}
	return toShortBits(c)
}

// toShortBits is for as many bits as a double can hold.
func toShortBits(c *cell) (document.Value, string) { return document.Uint(bitsOf(c.text)), "" }

// toLongBits is for more bits than a double can hold.
func toLongBits(c *cell) (document.Value, string) {
	return document.Decimal(strconv.FormatUint(bitsOf(c.text), 10)), ""
}

func bitsOf(text string) (n uint64) {
	for i := range len(text) {
		n = n<<8 | uint64(text[i])
	}
	return n
}

func toSet(c *cell) (document.Value, string) {
	members := []document.Value{}
	if c.text == "" {
		return document.List(members), ""
	}
	for m := range strings.SplitSeq(c.text, ",") {
		members = append(members, document.String(m))
	}
	return document.List(members), ""
}

func toDate(c *cell) (document.Value, string) {
	if reason := noDate(c.text); reason != "" {
		return document.Null(), reason
	}
	return document.String(c.text), ""
}

// toInstant writes "2024-01-02 03:04:05.678000" in RFC 3339. A time without a time zone is taken as UTC,
// the time zone of the session.
func toInstant(c *cell) (document.Value, string) {
	if reason := noDate(c.text); reason != "" {
		return document.Null(), reason
	}
	if len(c.text) < 19 || c.text[10] != ' ' {
		return document.Null(), "a time in an unknown form"
	}
	clock := c.text[11:]
	if strings.Contains(clock, ".") {
		clock = strings.TrimSuffix(strings.TrimRight(clock, "0"), ".")
	}
	return document.String(c.text[:10] + "T" + clock + "Z"), ""
}

// noDate says why an index cannot hold a date: MySQL has dates without a day, a month or a year, and
// may be configured to accept the 31st of February.
func noDate(text string) string {
	if len(text) < 10 || text[4] != '-' || text[7] != '-' {
		return "a date in an unknown form"
	}
	date := text[:10]
	if date[:4] == "0000" || date[5:7] == "00" || date[8:] == "00" {
		return date + " is no date"
	}
	if date[8:] > "28" {
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			return date + " is no date"
		}
	}
	return ""
}

// toNumbers reads a vector: little-endian 32-bit floats.
func toNumbers(c *cell) (document.Value, string) {
	if len(c.text)%4 != 0 {
		return document.Null(), "a vector in an unknown form"
	}
	numbers := []document.Value{}
	for b := []byte(c.text); len(b) > 0; b = b[4:] {
		one := cell{float: true, bits: 32, f: float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))}
		v, _ := toFloat(&one)
		numbers = append(numbers, v)
	}
	return document.List(numbers), ""
}
