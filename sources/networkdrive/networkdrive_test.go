package networkdrive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hirochachacha/go-smb2"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func parsed(t *testing.T, more map[string]any) field.Values {
	t.Helper()
	raw := map[string]any{"username": "u", "password": "p", "server_ip": "Files.example.com", "drive_path": "Folder1"}
	maps.Copy(raw, more)
	v, err := field.Parse(Type.Fields, raw)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWaysToWriteTheConfiguration(t *testing.T) {
	t.Parallel()
	tests := []struct {
		more    map[string]any
		address string
		login   login // without address and password
		roots   string
	}{
		{nil, "Files.example.com:445", login{user: "u"}, "Folder1"},
		{map[string]any{"server_ip": `\\nas\`, "server_port": 1445}, "nas:1445", login{user: "u"}, "Folder1"},
		{map[string]any{"server_ip": "smb://nas/"}, "nas:445", login{user: "u"}, "Folder1"},
		{map[string]any{"server_ip": "fe80::1"}, "[fe80::1]:445", login{user: "u"}, "Folder1"},
		{map[string]any{"username": `CORP\ann`}, "Files.example.com:445", login{user: "ann", domain: "CORP"}, "Folder1"},
		{map[string]any{"username": "ann@corp.example.com"}, "Files.example.com:445", login{user: "ann", domain: "corp.example.com"}, "Folder1"},
		{map[string]any{"drive_path": "Folder1/"}, "Files.example.com:445", login{user: "u"}, "Folder1"},
		{map[string]any{"drive_path": `Folder1\sub`}, "Files.example.com:445", login{user: "u"}, "Folder1/sub"},
		{map[string]any{"additional_paths": `Other/x, Third`}, "Files.example.com:445", login{user: "u"}, "Folder1 Other/x Third"},
	}
	for _, tt := range tests {
		s, err := newSettings(parsed(t, tt.more), nil)
		got := login{user: s.login.user, domain: s.login.domain}
		if err != nil || s.login.address != tt.address || got != tt.login || strings.Join(s.roots, " ") != tt.roots {
			t.Errorf("%v: got %+v, %v", tt.more, s, err)
		}
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	rule := func(pattern string) any { return []any{map[string]any{"pattern": pattern}} }
	tests := []struct {
		rule  string
		more  map[string]any
		rules any
		says  string
	}{
		{"a leading slash", map[string]any{"drive_path": "/Folder1"}, nil, "begins with a slash"},
		{"a leading backslash", map[string]any{"drive_path": `\\srv\Folder1`}, nil, "begins with a slash"},
		{"a folder above", map[string]any{"drive_path": "Folder1/../x"}, nil, `the folder ".."`},
		{"the share itself as a dot", map[string]any{"additional_paths": "."}, nil, `additional_paths: "." contains the folder "."`},
		{"one folder within another", map[string]any{"additional_paths": "Folder1/sub"}, nil, `is within "Folder1"`},
		{"one folder twice", map[string]any{"additional_paths": "Folder1"}, nil, "is within"},
		{"document level security", map[string]any{"use_document_level_security": true}, nil, "access lists are not read"},
		{"a broken pattern", map[string]any{"exclude": "a[b"}, nil, "exclude"},
		{"rules that are no list", nil, map[string]any{"pattern": "x"}, "must be a list"},
		{"a rule without a pattern", nil, []any{map[string]any{}}, "rule 1 must be an object with the key pattern"},
		{"a rule with another key", nil, []any{map[string]any{"pattern": "Folder1/x", "x": 1}}, "rule 1"},
		{"an empty pattern", nil, rule(""), "rule 1"},
		{"a leading slash in a rule", nil, rule("/Folder1/x"), "begins with /"},
		{"a share that is not named", nil, rule("**/*.txt"), "is outside of Folder1"},
		{"another share", nil, rule("Other/**"), "is outside of Folder1"},
		{"a share with a longer name", nil, rule("Folder12/x"), "is outside of Folder1"},
	}
	for _, tt := range tests {
		_, err := Type.Open(t.Context(), parsed(t, tt.more), source.Env{Log: slog.New(slog.DiscardHandler), AdvancedRules: tt.rules})
		if !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want %q", tt.rule, err, tt.says)
		}
	}
	if _, err := newSettings(parsed(t, nil), []any{}); err != nil {
		t.Errorf("no rules: %v", err)
	}
}

func TestScopeOf(t *testing.T) {
	t.Parallel()
	v := parsed(t, nil)
	for path, want := range map[string]string{
		`\\Files.example.com/Folder1\a.txt`:         "Folder1",
		`\\Files.example.com/Folder1/sub\x\y\a.txt`: "Folder1/sub/x/y",
		`\\Files.example.com/Other\a.txt`:           "Other",
		`\\other.example.com/Folder1\a.txt`:         "none",
		`\\Files.example.com/`:                      "none",
		"Folder1/a.txt":                             "none",
	} {
		got, ok := Type.ScopeOf(v, map[string]any{pathField: path})
		if !ok {
			got = "none"
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

// wire is a time as the client makes it of the server's, in units of 100 ns since 1601.
func wire(ticks uint64) time.Time {
	return time.Unix(0, (int64(ticks)-116444736000000000)*100)
}

func TestTimesOfTheServer(t *testing.T) {
	t.Parallel()
	const day = 24 * 60 * 60 * 10_000_000
	tests := map[uint64]string{
		0:                         "1601-01-01T00:00:00",
		1:                         "1601-01-01T00:00:00",
		10:                        "1601-01-01T00:00:00.000001",
		365 * day:                 "1602-01-01T00:00:00",
		116444736000000000:        "1970-01-01T00:00:00",
		116444736000000000 - 10:   "1969-12-31T23:59:59.999999",
		133592260891234567:        "2024-05-03T16:08:09.123456",
		math.MaxInt64:             "9999-12-31T23:59:59.999999",
		math.MaxUint64:            "9999-12-31T23:59:59.999999",
		116444736000000000 + 1234: "1970-01-01T00:00:00.000123",
	}
	for ticks, want := range tests {
		if got := timeText(wire(ticks)); got != want {
			t.Errorf("%d: got %s, want %s", ticks, got, want)
		}
	}
}

// Files that must not be read, or need not be, have no content.
func TestContentIsLeftOut(t *testing.T) {
	t.Parallel()
	stat := func(attributes uint32) *entry {
		return &entry{stat: &smb2.FileStat{FileName: "a.txt", EndOfFile: 1, FileAttributes: attributes}}
	}
	link := stat(attributeReparse)
	link.link = true
	for _, tt := range []struct {
		rule   string
		e      *entry
		recall bool
		want   bool
	}{
		{"a file", stat(0x80), false, true},
		{"a file with a reparse point of another kind", stat(attributeReparse), false, true},
		{"a symbolic link", link, false, false},
		{"a file that is offline", stat(attributeOffline), false, false},
		{"one that is fetched when it is read", stat(attributeRecall), false, false},
		{"both, where that is wanted", stat(attributeOffline | attributeRecall), true, true},
		{"a folder", stat(attributeDirectory), false, false},
	} {
		d := &drive{settings: settings{name: "s", roots: []string{"r"}, recall: tt.recall}}
		if got := d.document(nil, "r/a.txt", tt.e).Content != nil; got != tt.want {
			t.Errorf("%s: got content %t", tt.rule, got)
		}
	}
}

func TestErrorsOfTheServer(t *testing.T) {
	t.Parallel()
	d := &drive{}
	answer := func(code uint32) error {
		return &fs.PathError{Op: "open", Path: "x", Err: &smb2.ResponseError{Code: code}}
	}
	for code, gone := range map[uint32]bool{
		statusDeletePending: true, statusFileIsADirectory: true, statusSharingViolation: false, statusFileLockConflict: false, 0xc0000033: false,
	} {
		if err := contentError("a", answer(code)); errors.Is(err, fs.ErrNotExist) != gone {
			t.Errorf("content, %x: got %v", code, err)
		}
	}
	for code, kind := range map[uint32]error{
		statusBadNetworkName: source.ErrConfig, statusPathNotCovered: nil, statusIOTimeout: source.ErrTemporary,
		statusUserSessionDeleted: source.ErrTemporary, 0xc0000033: nil,
	} {
		if err := d.explain("a", answer(code)); err.Part != "a" || err.Kind != kind { //nolint:errorlint // a kind is compared
			t.Errorf("folder, %x: got %v of the kind %v", code, err, err.Kind)
		}
	}
	v := newServer(login{user: "ann", password: "Secret-1"}, time.Minute)
	seen := map[string]bool{}
	for code := range refusals {
		err := v.loginError(&smb2.ResponseError{Code: code})
		if !errors.Is(err, source.ErrAuth) || source.Hint(err) == "" || seen[err.Error()] || strings.Contains(err.Error(), "Secret") {
			t.Errorf("login, %x: got %v with the hint %q", code, err, source.Hint(err))
		}
		seen[err.Error()] = true
	}
}

// A login that was refused is not tried again in the run: the account could be locked for it.
func TestRefusedLoginIsNotRetried(t *testing.T) {
	t.Parallel()
	v := newServer(login{address: "127.0.0.1:1"}, time.Minute)
	v.refused = &source.Error{Kind: source.ErrAuth, Err: errors.New("refused")}
	if err := v.with(t.Context(), func(*session) error { return nil }); !errors.Is(err, source.ErrAuth) {
		t.Errorf("got %v, want the refusal", err)
	}
}

// setup is an answer of a server to a login.
func setup(status uint32, flags uint16) []byte {
	packet := make([]byte, 4+64+8)
	binary.BigEndian.PutUint32(packet, 72)
	copy(packet[4:], "\xfeSMB")
	binary.LittleEndian.PutUint32(packet[tapStatus:], status)
	binary.LittleEndian.PutUint16(packet[tapCommand:], sessionSetup)
	binary.LittleEndian.PutUint16(packet[tapFlags:], flags)
	return packet
}

// The flags of a login are read whatever pieces the answers come in.
func TestTap(t *testing.T) {
	t.Parallel()
	negotiated := setup(0, 0xffff)
	negotiated[tapCommand] = 0
	for flags, want := range map[uint16]bool{0: false, 1: true, 2: true, 4: false} {
		answers := bytes.Join([][]byte{negotiated, setup(0xc0000016, 1), setup(0, flags), setup(0, 1)}, nil)
		for piece := 1; piece <= len(answers); piece += 7 {
			tp := &tap{}
			for rest := answers; len(rest) > 0; rest = rest[min(piece, len(rest)):] {
				tp.look(rest[:min(piece, len(rest))])
			}
			if tp.guest != want || !tp.done {
				t.Errorf("flags %d in pieces of %d: got guest %t", flags, piece, tp.guest)
			}
		}
	}
	tp := &tap{}
	tp.look([]byte{0, 0xff, 0xff, 0xff, 1})
	if !tp.done || tp.head != nil {
		t.Error("an answer of 16 MiB is kept")
	}
}

func FuzzTap(f *testing.F) {
	f.Add(setup(0, 1), uint8(3))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1, 2}, uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		tp := &tap{}
		for rest := data; len(rest) > 0; rest = rest[min(int(piece)+1, len(rest)):] {
			tp.look(rest[:min(int(piece)+1, len(rest))])
		}
		if len(tp.head) > longestAnswer {
			t.Errorf("%d bytes are kept", len(tp.head))
		}
	})
}

// Only errors of the connection are retried, a few times without progress.
func TestTry(t *testing.T) {
	t.Parallel()
	v := newServer(login{}, time.Minute)
	v.wait = time.Nanosecond
	lost := &smb2.TransportError{Err: net.ErrClosed}
	for _, tt := range []struct {
		rule    string
		results []error // of each try; false progress
		moves   bool
		tried   int
	}{
		{"success", []error{nil}, false, 1},
		{"an answer", []error{fs.ErrPermission}, false, 1},
		{"lost once", []error{lost, nil}, false, 2},
		{"lost for good", []error{lost, lost, lost, lost, lost, lost}, false, tries},
		{"lost with progress", []error{lost, lost, lost, lost, lost, lost, nil}, true, 7},
	} {
		n := 0
		err := v.try(t.Context(), func() (bool, error) {
			n++
			return tt.moves, tt.results[n-1]
		})
		if n != tt.tried || fmt.Sprint(err) != fmt.Sprint(tt.results[tt.tried-1]) {
			t.Errorf("%s: tried %d times, %v; want %d times", tt.rule, n, err, tt.tried)
		}
	}
}
