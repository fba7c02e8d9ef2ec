package sqlread

import "testing"

func TestDotted(t *testing.T) {
	t.Parallel()
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{"a", "b"},
		{"a.b", "c"},
		{"a", "b.c"},
		{"a", "b", "c"},
		{`"a"`, "b"},
		{"", "a"},
		{"a", ""},
		{`a"`, "b"},
		{"a b", "c"},
	} {
		name := Double.Dotted(parts...)
		if other, twice := seen[name]; twice {
			t.Errorf("%q and %q are both %s", parts, other, name)
		}
		seen[name] = parts
	}
	if got := Double.Dotted("public", "orders"); got != "public.orders" {
		t.Errorf("got %s", got)
	}
	if got := Double.Table(`a"b`, "c"); got != `"a""b"."c"` {
		t.Errorf("got %s", got)
	}
}

// TestBackticks checks that MySQL's quotes work as those of standard SQL.
func TestBackticks(t *testing.T) {
	t.Parallel()
	if got := Backtick.Table("a`b", "c"); got != "`a``b`.`c`" {
		t.Errorf("got %s", got)
	}
	if got := Backtick.Joined("+", []string{"a+b", `"`, "c`", ""}); got != "`a+b`+\"+`c```+``" {
		t.Errorf("got %s", got)
	}
	for _, table := range []string{"t", "a.b", "a,b", "q`q", `q"q`, "-x", "x*", " x"} {
		l, err := Backtick.ParseTables([]string{"*", "-" + Backtick.WriteEntry("", table)})
		if err != nil {
			t.Errorf("%q: %v", table, err)
			continue
		}
		if l.Wants("d", table) || !l.Wants("d", "other") {
			t.Errorf("%q: %s leaves out something else", table, Backtick.WriteEntry("", table))
		}
	}
}

// TestBrackets checks the same for those of SQL Server.
func TestBrackets(t *testing.T) {
	t.Parallel()
	if got := Bracket.Table("a]b", "c[d"); got != "[a]]b].[c[d]" {
		t.Errorf("got %s", got)
	}
	if got := Bracket.Joined("+", []string{"a+b", `"`, "c]", "[d", ""}); got != `[a+b]+"+[c]]]+[[d]+[]` {
		t.Errorf("got %s", got)
	}
	for _, table := range []string{"t", "a.b", "a,b", "q]q", "[q", "]", "[]", "-x", "x*", " x"} {
		l, err := Bracket.ParseTables([]string{"*", "-" + Bracket.WriteEntry("x.y", table)})
		if err != nil {
			t.Errorf("%q: %v", table, err)
			continue
		}
		if l.Wants("x.y", table) || !l.Wants("x.y", "other") {
			t.Errorf("%q: %s leaves out something else", table, Bracket.WriteEntry("x.y", table))
		}
	}
	l, err := Bracket.ParseTables([]string{"log_[0-9]", "[a]]b]"})
	if err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]bool{"log_1": true, "log_x": false, "a]b": true, "a": false} {
		if l.Wants("dbo", table) != want {
			t.Errorf("%q: got %t", table, !want)
		}
	}
	if _, err := Bracket.ParseTables([]string{"[a"}); err == nil {
		t.Error("a name that is not closed is taken")
	}
}

func TestRaise(t *testing.T) {
	t.Parallel()
	e, err := Double.ParseEntry("shop.or_*s")
	if err != nil {
		t.Fatal(err)
	}
	if e.Raise(); !e.Match("SHOP", "OR_DERS") || e.Match("shop", "OR_DERS") || e.Match("SHOP", "or_ders") || e.Text != "SHOP.OR_*S" {
		t.Errorf("%+v", e)
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	e, err := Backtick.ParseEntry("Shop.`Or*ders`")
	if err != nil {
		t.Fatal(err)
	}
	if e.Fold(); !e.Match("shop", "or*ders") || e.Match("shop", "Or*ders") || e.Match("shop", "orders") {
		t.Errorf("got %+v", e)
	}
}

// TestKeyTexts are the forms in ids.
func TestKeyTexts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"12.50": "12.50", "0": "0", "0.00": "0.00", "-0.0000001": "-1E-7", "0.000001200": "0.000001200", "0.0000012": "0.0000012", "0.00000012": "1.2E-7", "0.00000000": "0E-8",
	} {
		if got := string(AppendDecimal(nil, in)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	for in, want := range map[float64]string{1: "1.0", 0.1: "0.1", 1e16: "1e+16", 1e-5: "1e-05", 123456789: "123456789.0"} {
		if got := string(AppendFloat(nil, in)); got != want {
			t.Errorf("%v: got %s, want %s", in, got, want)
		}
	}
	for in, want := range map[int64]string{0: "0:00:00", 3723e6 + 4: "1:02:03.000004", -1e6: "-1 day, 23:59:59", 2 * 86400e6: "2 days, 0:00:00"} {
		if got := string(AppendSpan(nil, in)); got != want {
			t.Errorf("%d: got %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{"a": "b'a'", "'": `b"'"`, "'\"": `b'\'"'`, "\x00\n\\": `b'\x00\n\\'`} {
		if got := string(AppendBytes(nil, in)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}
