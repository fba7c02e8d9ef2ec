package tdstest

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
)

// headers is an empty ALL_HEADERS.
func headers() []byte { return []byte{4, 0, 0, 0} }

// executeRPC is a call of sp_executesql with one parameter, whose type and value are those of a column.
func executeRPC(t testing.TB, c Column, v any) []byte {
	t.Helper()
	b := append(headers(), 0xff, 0xff, procedureExecuteSQL, 0, 0, 0)
	for _, text := range []string{"SELECT @p", "@p any"} {
		b = append(b, 0, 0)
		b = appendParam(t, b, Column{Type: NVarChar}, text)
	}
	b = append(appendText(b, "@p", 1), 0)
	return appendParam(t, b, c, v)
}

func appendParam(t testing.TB, b []byte, c Column, v any) []byte {
	t.Helper()
	column, ok := newColumn(c)
	if !ok {
		t.Fatalf("column %v has no type", c)
	}
	b, err := appendValue(column.appendInfo(b), column, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestParametersThatAreCutAreRefused at every byte, so no length field is trusted.
func TestParametersThatAreCutAreRefused(t *testing.T) {
	t.Parallel()
	for _, complete := range [][]byte{
		executeRPC(t, Column{Type: BigInt, Nullable: true}, 5),
		executeRPC(t, Column{Type: VarBinary, Size: Max}, bytes.Repeat([]byte{7}, plpChunk+5)),
		executeRPC(t, Column{Type: NVarChar, Size: 5}, "abc"),
	} {
		last := bytes.Index(complete, appendText(nil, "@p", 1))
		for n := last + 1; n < len(complete); n++ {
			if _, err := parseRequest(message{kind: packetRPC, body: complete[:n]}); err == nil {
				t.Errorf("%d of %d bytes are taken for a request", n, len(complete))
			}
		}
	}
}

// FuzzPackets checks that any input is read or refused, in every state of a connection, and that no value has more
// bytes than arrived.
func FuzzPackets(f *testing.F) {
	packet := func(kind, status byte, body []byte) []byte {
		b := binary.BigEndian.AppendUint16([]byte{kind, status}, uint16(headerSize+len(body)))
		return append(append(b, 0, 0, 1, 0), body...)
	}
	f.Add(packet(packetPrelogin, statusEnd, prelogin(encryptOff)))
	f.Add(packet(packetLogin, statusEnd, make([]byte, loginFixed)))
	f.Add(packet(packetBatch, statusEnd|statusReset, appendUCS2(headers(), "SELECT 1")))
	f.Add(append(packet(packetBatch, 0, headers()), packet(packetBatch, statusEnd, appendUCS2(nil, "ž"))...))
	f.Add(append(packet(packetBatch, 0, headers()), packet(packetBatch, statusEnd|statusIgnore, nil)...))
	f.Add(packet(packetAttention, statusEnd, nil))
	for c, v := range map[Column]any{
		{Type: NVarChar, Size: Max}:    "abc",
		{Type: VarBinary, Size: 8}:     []byte{1, 2},
		{Type: BigInt, Nullable: true}: 5,
		{Type: Bit, Nullable: true}:    true,
	} {
		f.Add(packet(packetRPC, statusEnd, executeRPC(f, c, v)))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := bytes.NewReader(stream)
		for r.Len() > 0 {
			m, err := readMessage(r)
			if err != nil {
				return
			}
			if len(m.body) > len(stream) {
				t.Fatalf("a message of %d bytes was read from %d", len(m.body), len(stream))
			}
			if l, err := parseLogin(m.body); err == nil && 2*len(l.password) > 6*len(stream) {
				t.Fatalf("a password of %d bytes was read from %d", len(l.password), len(stream))
			}
			_, _ = parsePrelogin(m.body)
			if st, err := parseRequest(m); err == nil && len(st.SQL) > 3*len(stream) {
				t.Fatalf("a statement of %d bytes was read from %d", len(st.SQL), len(stream))
			}
		}
	})
}

// TestAMessageWithoutEndIsRefused.
func TestAMessageWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	size := headerSize + 32000
	packet := make([]byte, size)
	packet[0] = packetBatch
	binary.BigEndian.PutUint16(packet[2:], uint16(size))
	endless := io.MultiReader(readers(packet, largestMessage/32000+2)...)
	if m, err := readMessage(endless); err == nil {
		t.Errorf("a message of %d bytes was read", len(m.body))
	}
}

func readers(b []byte, n int) (all []io.Reader) {
	for range n {
		all = append(all, bytes.NewReader(b))
	}
	return all
}

// TestEncryptionIsNegotiated as in the table of MS-TDS 2.2.6.5.
func TestEncryptionIsNegotiated(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		server       Encryption
		client, want byte
	}{
		"no encryption, and the client off":      {NoEncryption, encryptOff, encryptNotSupported},
		"no encryption, and the client on":       {NoEncryption, encryptOn, encryptNotSupported},
		"no encryption, and the client has none": {NoEncryption, encryptNotSupported, encryptNotSupported},
		"the login, and the client off":          {EncryptLogin, encryptOff, encryptOff},
		"the login, and the client on":           {EncryptLogin, encryptOn, encryptOn},
		"the login, and the client has none":     {EncryptLogin, encryptNotSupported, encryptNotSupported},
		"forced, and the client off":             {EncryptAll, encryptOff, encryptRequired},
		"forced, and the client on":              {EncryptAll, encryptOn, encryptOn},
		"forced, and the client has none":        {EncryptAll, encryptNotSupported, encryptRequired},
	} {
		c := &session{server: &Server{cfg: Config{Encryption: tt.server}}}
		if got := c.negotiate(tt.client); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}
