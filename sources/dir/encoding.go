package dir

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

const (
	utf8Name    = "utf-8"
	utf16Little = "utf-16le"
	utf16Big    = "utf-16be"

	// fallback is what bytes are taken for that are not UTF-8.
	fallback = "windows-1252"
)

// upper are the characters of the bytes from 0x80 to 0x9f in Windows-1252. The five that are not assigned
// stay control characters, as browsers have them, so that each byte is another character.
var upper = []rune("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ")

// knownEncoding returns the canonical name of an encoding; ok is false for an unknown one.
func knownEncoding(name string) (canonical string, ok bool) {
	e, canonical := charset.Lookup(name)
	return canonical, e != nil && canonical != "replacement" && canonical != "x-user-defined"
}

// decoded is the text of a file in UTF-8, without byte order mark. Bytes that are invalid in the encoding are an
// error and never replaced. With the name "" the encoding is detected: by the byte order mark, otherwise UTF-8 until
// an invalid byte shows that it is not, which is reported by calling guessed.
func decoded(r io.Reader, name string, guessed func()) io.Reader {
	return &sticky{r: decoder(r, name, guessed)}
}

// sticky repeats an error forever: a buffered reader that looks ahead drops an error that it encounters.
type sticky struct {
	r   io.Reader
	err error
}

func (s *sticky) Read(p []byte) (n int, err error) {
	if s.err == nil {
		n, s.err = s.r.Read(p)
	}
	return n, s.err
}

func decoder(r io.Reader, name string, guessed func()) io.Reader {
	b := bufio.NewReaderSize(r, bufferSize)
	mark, _ := b.Peek(3) // what is wrong with the file is found when it is read
	switch {
	case bytes.HasPrefix(mark, []byte("\xef\xbb\xbf")) && (name == "" || name == utf8Name):
		_, _ = b.Discard(3) // they are in the buffer
		name = utf8Name
	case bytes.HasPrefix(mark, []byte("\xff\xfe")) && (name == "" || name == utf16Little):
		_, _ = b.Discard(2)
		name = utf16Little
	case bytes.HasPrefix(mark, []byte("\xfe\xff")) && (name == "" || name == utf16Big):
		_, _ = b.Discard(2)
		name = utf16Big
	}
	switch name {
	case "", utf8Name:
		return &utf8Reader{b: b, guess: name == "", guessed: guessed}
	case utf16Little:
		return &utf16Reader{b: b, order: binary.LittleEndian}
	case utf16Big:
		return &utf16Reader{b: b, order: binary.BigEndian}
	case fallback:
		return &fallbackReader{b: b}
	}
	return newStrict(b, name)
}

// utf8Reader passes UTF-8 on. Text before the first non-ASCII letter is the same in nearly every encoding, so if
// the bytes there turn out not to be UTF-8, the rest can still be read in the fallback encoding; later it cannot.
type utf8Reader struct {
	b       *bufio.Reader
	guess   bool
	guessed func()
	letters bool      // non-ASCII letters were seen
	instead io.Reader // the fallback, once it is decided for
}

func (u *utf8Reader) Read(p []byte) (n int, err error) {
	if u.instead != nil {
		return u.instead.Read(p)
	}
	if len(p) < utf8.UTFMax {
		return 0, io.ErrShortBuffer
	}
	if _, err := u.b.Peek(1); err != nil {
		return 0, err
	}
	have, _ := u.b.Peek(min(u.b.Buffered(), len(p)))
	n = u.valid(have)
	if n == 0 && !utf8.FullRune(have) { // a letter is cut by the end of what is buffered, or of the file
		have, err = u.b.Peek(utf8.UTFMax)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		n = u.valid(have)
	}
	if n > 0 {
		copy(p, have[:n])
		_, err = u.b.Discard(n)
		return n, err
	}
	if !u.guess || u.letters {
		return 0, wrongByte(utf8Name)
	}
	u.guessed()
	u.instead = &fallbackReader{b: u.b}
	return u.instead.Read(p)
}

// valid is how many bytes at the beginning are UTF-8.
func (u *utf8Reader) valid(text []byte) int {
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		u.letters = true
		i += size
	}
	return len(text)
}

// fallbackReader converts Windows-1252 to UTF-8.
type fallbackReader struct{ b *bufio.Reader }

func (f *fallbackReader) Read(p []byte) (n int, err error) {
	if len(p) < utf8.UTFMax {
		return 0, io.ErrShortBuffer
	}
	for n+utf8.UTFMax <= len(p) && (n == 0 || f.b.Buffered() > 0) {
		next, err := f.b.ReadByte()
		if err != nil {
			return n, err
		}
		r := rune(next)
		if next >= 0x80 && next < 0xa0 {
			r = upper[next-0x80]
		}
		n += utf8.EncodeRune(p[n:], r)
	}
	return n, nil
}

// utf16Reader converts UTF-16 to UTF-8.
type utf16Reader struct {
	b     *bufio.Reader
	order binary.ByteOrder
}

func (u *utf16Reader) Read(p []byte) (n int, err error) {
	if len(p) < utf8.UTFMax {
		return 0, io.ErrShortBuffer
	}
	for n+utf8.UTFMax <= len(p) {
		r, err := u.letter()
		if err != nil {
			return n, err
		}
		n += utf8.EncodeRune(p[n:], r)
		if u.b.Buffered() < 2 {
			break
		}
	}
	return n, nil
}

func (u *utf16Reader) letter() (rune, error) {
	first, err := u.unit()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	second, err := u.unit()
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
		return r, nil
	}
	return 0, wrongByte("utf-16")
}

func (u *utf16Reader) unit() (rune, error) {
	var two [2]byte
	switch n, err := io.ReadFull(u.b, two[:]); {
	case n == 1 && errors.Is(err, io.ErrUnexpectedEOF):
		return 0, wrongByte("utf-16")
	case err != nil:
		return 0, err
	}
	return rune(u.order.Uint16(two[:])), nil
}

// strict stops the reading where a decoder replaces an invalid sequence.
type strict struct {
	r    io.Reader
	name string
	seen []byte
}

func newStrict(r io.Reader, name string) *strict {
	e, _ := charset.Lookup(name)
	return &strict{r: e.NewDecoder().Reader(r), name: name}
}

const replacement = "\ufffd"

func (s *strict) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.seen = append(s.seen, p[:n]...)
	if bytes.Contains(s.seen, []byte(replacement)) {
		return 0, wrongByte(s.name)
	}
	tail := s.seen[max(0, len(s.seen)-len(replacement)+1):] // may be a part of the replacement
	s.seen = append(s.seen[:0], tail...)
	return n, err
}

// wrongByte stops the reading of a file that is not in its encoding.
func wrongByte(name string) error {
	return fmt.Errorf("the next byte is not %s; set the encoding of the file with %s", strings.ToUpper(name), fieldEncoding)
}
