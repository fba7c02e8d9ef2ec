package mysql

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// plain is a complete configuration.
func plain(change map[string]any) map[string]any {
	return sqltest.Changed(map[string]any{"host": "nosuch.invalid", "port": 3306, "user": "u", "password": "p", "database": "d"}, change)
}

// TestFields checks the keys against the connector protocol's for this service type.
func TestFields(t *testing.T) {
	t.Parallel()
	sqltest.FieldsAre(t, &Type, plain, map[string]int{
		"host": 1, "port": 2, "user": 3, "password": 4, "database": 5, "tables": 6, "ssl_enabled": 7, "ssl_ca": 8, "fetch_size": 9, "retry_count": 10,
	}, map[string][]any{
		"port": {0, 65536}, "fetch_size": {0, 100001}, "retry_count": {-1, 21}, "tables": {"", " , "}, "database": {""},
	})
}

// TestOpenRefuses checks that invalid configurations are refused before anything connects.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	sqltest.OpenRefuses(t, &Type, plain, map[string]sqltest.Refusal{
		"a pattern":         {Set: map[string]any{"tables": "a["}, Says: []string{"not complete", "in backticks"}},
		"a certificate":     {Set: map[string]any{"ssl_enabled": true, "ssl_ca": "garbage"}, Says: []string{"ssl_ca: ", "as PEM"}},
		"TLS on a socket":   {Set: map[string]any{"host": "/run/mysqld.sock", "ssl_enabled": true, "ssl_ca": "x"}, Says: []string{"is a socket", "ssl_enabled: false"}},
		"a table of a rule": {Env: source.Env{AdvancedRules: []any{map[string]any{"tables": []any{"`t"}, "query": "SELECT 1"}}}, Says: []string{"closing quote", "`odd name*`"}},
	})
}

// TestAddressesReachTheDriver checks that the configured address reaches the driver unchanged.
func TestAddressesReachTheDriver(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ host, want string }{
		{"::1", "tcp [::1]:3306"}, {"[::1]", "tcp [::1]:3306"}, {" db.example.org ", "tcp db.example.org:3306"}, {"/run/mysqld.sock", "unix /run/mysqld.sock"},
	} {
		host, want := tt.host, tt.want
		s, err := newSettings(sqltest.Parse(t, &Type, plain(map[string]any{"host": host, "user": "a@b:c", "password": "p@ss/w:rd%?&"})))
		if err != nil {
			t.Fatal(err)
		}
		c := driverConfig(s)
		if got := c.Net + " " + c.Addr; got != want || c.User != "a@b:c" || c.Passwd != "p@ss/w:rd%?&" || c.DBName != "d" {
			t.Errorf("%q: got %s, user %s", host, got, c.User)
		}
		if c.AllowCleartextPasswords || c.AllowFallbackToPlaintext || c.MultiStatements || c.AllowAllFiles || c.TLS != nil {
			t.Errorf("%q: the driver may do what it must not: %+v", host, c)
		}
	}
	s, err := newSettings(sqltest.Parse(t, &Type, plain(map[string]any{"ssl_enabled": true, "ssl_ca": sqltest.OtherCA(t)})))
	if err != nil {
		t.Fatal(err)
	}
	c := driverConfig(s)
	if c.TLS == nil || c.TLS.ServerName != "nosuch.invalid" || c.TLS.InsecureSkipVerify || !c.AllowCleartextPasswords || c.AllowFallbackToPlaintext {
		t.Errorf("with TLS: %+v", c)
	}
}

// TestScopes checks that a document determines its table, whatever profile wrote it.
func TestScopes(t *testing.T) {
	t.Parallel()
	v := sqltest.Parse(t, &Type, plain(nil))
	sqltest.ScopesAre(t, &Type, v, map[string]sqltest.ScopeCase{
		"head":                          {Fields: map[string]any{"Table": "t"}, Want: "t"},
		"head, with columns of native":  {Fields: map[string]any{"Table": "t", "database": "x", "table": "y"}, Want: "t"},
		"head, a query":                 {Fields: map[string]any{"Table": []any{"b", "a"}}, Want: "a+b"},
		"seed87":                        {Fields: map[string]any{"Database": "d", "Table": "t"}, Want: "t"},
		"seed87, another database":      {Fields: map[string]any{"Database": "o.x", "Table": "t"}, Want: "`o.x`.t"},
		"native":                        {Fields: map[string]any{"database": "d", "table": "t"}, Want: "t"},
		"native, another database":      {Fields: map[string]any{"database": "o", "table": "t.u"}, Want: "o.`t.u`"},
		"a name with a plus":            {Fields: map[string]any{"Table": "a+b"}, Want: "`a+b`"},
		"two tables, one with a quote":  {Fields: map[string]any{"Table": []any{"a`", "b"}}, Want: "`a```+b"},
		"no text":                       {Fields: map[string]any{"Table": 5}, Want: ""},
		"a list of something else":      {Fields: map[string]any{"Table": []any{"t", 5}}, Want: ""},
		"nothing":                       {Fields: map[string]any{}, Want: ""},
		"a database that is not text":   {Fields: map[string]any{"Database": 5, "Table": "t"}, Want: "t"},
		"columns that look like native": {Fields: map[string]any{"database": "x"}, Want: ""},
	})
}

func TestWorthRetrying(t *testing.T) {
	t.Parallel()
	sqltest.Retries(t, verdicts.WorthRetrying, map[string]error{
		"hung up":           io.ErrUnexpectedEOF,
		"invalid":           driver.ErrInvalidConn,
		"too many sessions": &driver.MySQLError{Number: 1040},
		"shutting down":     &driver.MySQLError{Number: 1053},
	}, map[string]error{
		"wrong password":   &driver.MySQLError{Number: 1045},
		"no such database": &driver.MySQLError{Number: 1049},
		"no TLS":           driver.ErrNoTLS,
	})
}

func TestConnectErrors(t *testing.T) {
	t.Parallel()
	d := &database{set: settings{Login: form.Login{Host: "h", Port: 1, User: "o'u"}, database: "d`b"}}
	sqltest.FailuresAre(t, d.ConnectError, "connect to MySQL at h port 1: ", map[string]sqltest.Failure{
		"no entry":      {Err: &driver.MySQLError{Number: 1044}, Kind: source.ErrAuth, Hint: "GRANT SELECT ON `d``b`.* TO 'o''u';"},
		"blocked":       {Err: &driver.MySQLError{Number: 1129}, Kind: source.ErrAuth, Hint: "FLUSH HOSTS"},
		"not from here": {Err: &driver.MySQLError{Number: 1130}, Kind: source.ErrAuth, Hint: "from this machine"},
		"other login":   {Err: &driver.MySQLError{Number: 1698}, Kind: source.ErrAuth, Hint: "IDENTIFIED BY"},
		"unknown login": {Err: driver.ErrUnknownPlugin, Kind: source.ErrAuth, Hint: "IDENTIFIED BY"},
		"clear text":    {Err: driver.ErrCleartextPassword, Kind: source.ErrAuth, Hint: "ssl_enabled must be on"},
		"needs TLS":     {Err: &driver.MySQLError{Number: 3159}, Kind: source.ErrConfig, Hint: "ssl_enabled: true"},
		"has no TLS":    {Err: driver.ErrNoTLS, Kind: source.ErrConfig, Hint: "ssl_enabled: false"},
		"too many":      {Err: &driver.MySQLError{Number: 1040}, Kind: source.ErrTemporary, Hint: ""},
		"something":     {Err: &driver.MySQLError{Number: 1}, Kind: nil, Hint: ""},
		"silence":       {Err: &link.StallError{Limit: 5}, Kind: source.ErrUnreachable, Hint: "check host and port"},
	})
}

// newTestDatabase is a database without a connection.
func newTestDatabase(t *testing.T, s settings, env source.Env) *database {
	t.Helper()
	env.Log = slog.New(slog.DiscardHandler)
	d, err := newDatabase(s, env)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// relationOf is a table as the catalog has it.
func relationOf(name string) relation {
	return relation{Name: name, Kind: sqlread.KindTable, Shown: name, Scope: name, Entry: [2]string{"", name}, Storage: "InnoDB"}
}

func TestTableErrorKinds(t *testing.T) {
	t.Parallel()
	p := newTestDatabase(t, settings{}, source.Env{}).Part(relationOf("t"), nil)
	for number, want := range map[uint16]error{
		1142: source.ErrAuth, 1143: source.ErrAuth, 1370: source.ErrAuth, 1146: nil, 1054: nil, 1064: nil, 1356: source.ErrConfig, 1449: source.ErrConfig,
		1792: source.ErrConfig, 1053: source.ErrTemporary, 1205: source.ErrTemporary, 1213: source.ErrTemporary, 1317: source.ErrTemporary,
		1927: source.ErrTemporary, 3024: source.ErrTemporary,
	} {
		err := p.Failed("read rows", &driver.MySQLError{Number: number, Message: "a\nb"})
		sqltest.IsOnly(t, fmt.Sprint(number), err, want)
		if got, want := err.Error(), fmt.Sprintf("t: read rows: a b (error %d)", number); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if err := p.Failed("read rows", io.ErrUnexpectedEOF); !errors.Is(err, source.ErrTemporary) {
		t.Errorf("a lost connection: %v", err)
	}
}

// TestFold checks that a server whose table names ignore case finds a name written in a different case.
func TestFold(t *testing.T) {
	t.Parallel()
	s, err := Type.Open(t.Context(), sqltest.Parse(t, &Type, plain(map[string]any{"tables": "Orders,LOG_*,-Log_1"})), source.Env{
		Log: slog.New(slog.DiscardHandler), AdvancedRules: []any{map[string]any{"tables": []any{"Orders"}, "query": "SELECT 1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := s.(*database)
	d.fold()
	for name, want := range map[string]bool{"orders": true, "log_2": true, "log_1": false, "customers": false} {
		if got := d.Wants(&relation{Name: name, Kind: sqlread.KindTable}); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
	parts, _, err := d.Plan(&catalogue{Relations: []relation{{Name: "oRDERs", Match: [2]string{"", "orders"}}}})
	if err != nil || len(parts) != 1 || parts[0].Scope() != "oRDERs" {
		t.Errorf("the rule: %v", err)
	}
}

func TestAccountName(t *testing.T) {
	t.Parallel()
	for account, want := range map[string]string{"etl@%": "'etl'@'%'", "a@b@10.0.0.1": "'a@b'@'10.0.0.1'", "o'u@h": "'o''u'@'h'", "x": "'x'"} {
		if got := accountName(account); got != want {
			t.Errorf("%s: got %s", account, got)
		}
	}
}

func TestWithoutMode(t *testing.T) {
	t.Parallel()
	const mode = "PAD_CHAR_TO_FULL_LENGTH"
	for modes, want := range map[string]string{
		mode: "", "A," + mode + ",B": "A,B", "A,B," + mode: "A,B",
	} {
		if got, found := withoutMode(modes, mode); got != want || !found {
			t.Errorf("%s: got %s, %t", modes, got, found)
		}
	}
	if _, found := withoutMode("A,"+mode+"X", mode); found {
		t.Error("it was found in another name")
	}
}

// TestSpansOf checks that ranges adjoin each other, and cover every key of the type.
func TestSpansOf(t *testing.T) {
	t.Parallel()
	const largest, smallest = 1<<63 - 1, 1 << 63 // as a signed number the second is the smallest
	for _, tt := range []struct {
		least, most, n uint64
		unsigned       bool
		want           string
	}{
		{1, 10, 3, false, "[k ..4 k 5..8 k 9..]"},
		{5, 5, 4, false, "[k ..]"},
		{1, 2, 16, false, "[k ..1 k 2..]"},
		{^uint64(4), 4, 2, false, "[k ..-1 k 0..]"},
		{smallest, largest, 2, false, "[k ..-1 k 0..]"},
		{0, ^uint64(0), 2, true, "[k ..9223372036854775807 k 9223372036854775808..]"},
		{^uint64(0), ^uint64(0), 2, true, "[k ..]"},
	} {
		spans := spansOf("k", tt.least, tt.most, tt.n, tt.unsigned)
		var names []string
		for i := range spans {
			names = append(names, spans[i].String())
			if i > 0 && spans[i].from != spans[i-1].end {
				t.Errorf("%v: there is a gap before %s", tt, spans[i].from)
			}
		}
		if got := fmt.Sprint(names); got != tt.want {
			t.Errorf("%+v: got %s", tt, got)
		}
	}
	for want, s := range map[string]*span{
		"`a``b` < 5": {column: "a`b", end: "5"}, "`k` >= -5": {column: "k", from: "-5"}, "`k` >= 1 AND `k` < 9": {column: "k", from: "1", end: "9"},
	} {
		if got := s.condition(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
