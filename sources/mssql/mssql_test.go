package mssql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// plain is a complete configuration.
func plain(change map[string]any) map[string]any {
	return sqltest.Changed(map[string]any{"host": "nosuch.invalid", "port": 1433, "username": "u", "password": "p", "database": "d", "schema": "dbo"}, change)
}

// TestFields checks the keys against the connector protocol's for this service type.
func TestFields(t *testing.T) {
	t.Parallel()
	sqltest.FieldsAre(t, &Type, plain, map[string]int{
		"host": 1, "port": 2, "username": 3, "password": 4, "database": 5, "tables": 6, "fetch_size": 7, "retry_count": 8, "schema": 9,
		"ssl_enabled": 10, "ssl_ca": 11, "validate_host": 12,
	}, map[string][]any{
		"port": {0, 65536}, "fetch_size": {0, 100001}, "retry_count": {-1, 21}, "tables": {"", " , "}, "database": {""}, "schema": {""},
	})
}

// TestOpenRefuses checks that invalid configurations are refused before anything connects.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	sqltest.OpenRefuses(t, &Type, plain, map[string]sqltest.Refusal{
		"a pattern":         {Set: map[string]any{"tables": "a["}, Says: []string{"not complete", "in brackets"}},
		"a schema":          {Set: map[string]any{"schema": "[a"}, Says: []string{"closing quote", "in brackets"}},
		"a certificate":     {Set: map[string]any{"ssl_enabled": true, "ssl_ca": "garbage"}, Says: []string{"ssl_ca: ", "as PEM"}},
		"a table of a rule": {Env: source.Env{AdvancedRules: []any{map[string]any{"tables": []any{"[t"}, "query": "SELECT 1"}}}, Says: []string{"closing quote", "[odd name*]"}},
	})
}

// TestAddressesReachTheDriver checks that the configured address reaches the driver unchanged.
func TestAddressesReachTheDriver(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ host, want string }{
		{"::1", `::1 "" 1433`},
		{"[::1]", `::1 "" 1433`},
		{" db.example.org ", `db.example.org "" 1433`},
		{`db\SQLEXPRESS`, `db "SQLEXPRESS" 0`},
		{`db\`, `db "" 1433`},
	} {
		host, want := tt.host, tt.want
		s, err := newSettings(sqltest.Parse(t, &Type, plain(map[string]any{"host": host, "username": "a@b:c", "password": "p@ss/w:rd%?&;"})))
		if err != nil {
			t.Fatal(err)
		}
		c := driverConfig(s)
		if got := fmt.Sprintf("%s %q %d", c.Host, c.Instance, c.Port); got != want || c.User != "a@b:c" || c.Password != "p@ss/w:rd%?&;" || c.Database != "d" {
			t.Errorf("%q: got %s, user %s", host, got, c.User)
		}
		if c.Encryption != msdsn.EncryptionOff || !c.TLSConfig.InsecureSkipVerify || c.TLSConfig.VerifyConnection != nil {
			t.Errorf("%q: without TLS: %+v", host, c)
		}
	}
}

// TestTLS checks that everything is encrypted, and that the certificate is verified with or without the name.
func TestTLS(t *testing.T) {
	t.Parallel()
	for _, validate := range []bool{true, false} {
		s, err := newSettings(sqltest.Parse(t, &Type, plain(map[string]any{"ssl_enabled": true, "ssl_ca": sqltest.OtherCA(t), "validate_host": validate})))
		if err != nil {
			t.Fatal(err)
		}
		c := driverConfig(s)
		if c.Encryption != msdsn.EncryptionRequired || c.TLSConfig.ServerName != "nosuch.invalid" || c.TLSConfig.RootCAs == nil {
			t.Errorf("validate_host %t: %+v", validate, c.TLSConfig)
		}
		if s.validateHost != validate || c.TLSConfig.VerifyConnection == nil {
			t.Errorf("validate_host %t: the host is validated: %t", validate, s.validateHost)
		}
	}
}

// TestVerifyChain checks that the server's certificate must be signed by a known authority, whatever the host name.
func TestVerifyChain(t *testing.T) {
	t.Parallel()
	known, stranger := sqltest.SelfSigned(t, "a").Certificate, sqltest.SelfSigned(t, "b").Certificate
	roots := x509.NewCertPool()
	roots.AddCert(known)
	verify := verifyChain(roots, "")
	for name, tt := range map[string]struct {
		shown []*x509.Certificate
		ok    bool
	}{
		"known": {[]*x509.Certificate{known}, true}, "unknown": {[]*x509.Certificate{stranger}, false},
		"unknown, with a known one": {[]*x509.Certificate{stranger, known}, false}, "none": {nil, false},
	} {
		err := verify(tls.ConnectionState{ServerName: "c", PeerCertificates: tt.shown})
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && !strings.Contains(err.Error(), "tls: ") {
			t.Errorf("%s: %v does not look like an error of TLS", name, err)
		}
	}
}

// TestScopes checks that a document determines its table, whatever profile wrote it.
func TestScopes(t *testing.T) {
	t.Parallel()
	v := sqltest.Parse(t, &Type, plain(nil))
	sqltest.ScopesAre(t, &Type, v, map[string]sqltest.ScopeCase{
		"head":                     {Fields: map[string]any{"database": "d", "schema": "dbo", "table": "t"}, Want: "dbo.t"},
		"head, a query":            {Fields: map[string]any{"database": "d", "schema": "dbo", "table": []any{"a", "b"}}, Want: "dbo.a+b"},
		"head, two schemas":        {Fields: map[string]any{"database": "d", "schema": []any{"a", "b"}, "table": []any{"t", "t"}}, Want: "a+b.t+t"},
		"head, another database":   {Fields: map[string]any{"database": "o.x", "schema": "dbo", "table": "t"}, Want: "[o.x].dbo.t"},
		"seed87":                   {Fields: map[string]any{"Database": "d", "schema": "dbo", "Table": "t"}, Want: "dbo.t"},
		"a name with a dot":        {Fields: map[string]any{"database": "d", "schema": "x.y", "table": "a]b"}, Want: "[x.y].[a]]b]"},
		"no text":                  {Fields: map[string]any{"database": "d", "schema": "dbo", "table": 5}, Want: ""},
		"a list of something else": {Fields: map[string]any{"database": "d", "schema": "dbo", "table": []any{"t", 5}}, Want: ""},
		"no schema":                {Fields: map[string]any{"database": "d", "table": "t"}, Want: ""},
		"nothing":                  {Fields: map[string]any{}, Want: ""},
	})
}

func answerOf(number int32, class uint8, before ...int32) error {
	e := mssql.Error{Number: number, Class: class, Message: "login error: a\nb"}
	for _, n := range before {
		e.All = append(e.All, mssql.Error{Number: n, Class: class, Message: "before"})
	}
	e.All = append(e.All, mssql.Error{Number: number, Class: class, Message: "login error: a\nb"})
	return e
}

func TestWorthRetrying(t *testing.T) {
	t.Parallel()
	sqltest.Retries(t, verdicts.WorthRetrying, map[string]error{
		"hung up":                io.EOF,
		"hung up in the middle":  mssql.StreamError{InnerError: io.ErrUnexpectedEOF},
		"no answer":              context.DeadlineExceeded,
		"too many sessions":      answerOf(17809, 20),
		"Azure is busy":          answerOf(40501, 16),
		"being recovered":        answerOf(18456, 14, 922),
		"cut off in a handshake": errors.New(handshakeText + "EOF"),
		"waking up":              answerOf(40613, 17),
		"starting":               answerOf(17187, 16),
		"being upgraded":         answerOf(18401, 14),
	}, map[string]error{
		"other bytes":      mssql.StreamError{InnerError: errors.New("unknown token")},
		"wrong password":   answerOf(18456, 14),
		"no such database": answerOf(18456, 14, 4060),
		"no TLS":           errors.New(noTLSText),
		"a certificate":    errors.New(handshakeText + "tls: failed to verify certificate: x509: unknown authority"),
		"not public":       answerOf(47073, 16),
		"no such server":   answerOf(40532, 11),
	})
}

func TestConnectErrors(t *testing.T) {
	t.Parallel()
	d := &database{set: settings{Login: form.Login{Host: "h", Port: 1, User: "o]u"}, database: "d"}}
	for name, tt := range map[string]struct {
		err  error
		kind error
		hint string
		text string
	}{
		"wrong password":         {answerOf(18456, 14), source.ErrAuth, "check username and password", "a b (error 18456)"},
		"no such database":       {answerOf(18456, 14, 4060), source.ErrConfig, "CREATE USER … FOR LOGIN [o]]u];", "before (error 4060)"},
		"a Windows login":        {answerOf(18452, 14), source.ErrAuth, "mixed mode", "a b (error 18452)"},
		"locked":                 {answerOf(18486, 14), source.ErrAuth, "ALTER LOGIN [o]]u]", "a b (error 18486)"},
		"expired":                {answerOf(18487, 14), source.ErrAuth, "ALTER LOGIN [o]]u]", "a b (error 18487)"},
		"a firewall":             {answerOf(40615, 14), source.ErrAuth, "firewall", "a b (error 40615)"},
		"too many":               {answerOf(17809, 20), source.ErrTemporary, "", "a b (error 17809)"},
		"something":              {answerOf(1, 16), nil, "", "a b (error 1)"},
		"a virtual network":      {answerOf(40914, 14), source.ErrAuth, "firewall", "a b (error 40914)"},
		"not public":             {answerOf(47073, 16), source.ErrAuth, "private endpoints", "a b (error 47073)"},
		"no such server":         {answerOf(40532, 11), source.ErrConfig, "LOGIN@SERVER", "a b (error 40532)"},
		"a readable secondary":   {answerOf(978, 14), source.ErrConfig, "primary replica", "a b (error 978)"},
		"waking up":              {answerOf(40613, 17), source.ErrTemporary, "", "a b (error 40613)"},
		"cut off in a handshake": {errors.New(handshakeText + "EOF"), source.ErrUnreachable, "at the TLS handshake", "EOF"},
		"cut off before it":      {io.EOF, source.ErrUnreachable, "TDS 8.0", "the connection was lost"},
		"no common cipher":       {errors.New(handshakeText + "remote error: tls: handshake failure"), source.ErrConfig, "cipher", "remote error: tls: handshake failure"},
		"a response without TLS": {errors.New(handshakeText + "tls: first record does not look like a TLS handshake"), source.ErrConfig, "does not speak TLS", "tls: first record"},
		"an odd certificate":     {errors.New(handshakeText + "tls: failed to parse certificate from server: x509: negative serial number"), source.ErrConfig, "cannot be read", "tls: failed to parse"},
		"has no TLS":             {errors.New(noTLSText), source.ErrConfig, "ssl_enabled: false", noTLSText},
		"no common TLS version":  {errors.New(handshakeText + "remote error: tls: protocol version not supported"), source.ErrConfig, "TLS 1.2", "remote error: tls: protocol version not supported"},
		"no instance":            {errors.New("no instance matching 'X' returned from host 'h'"), source.ErrUnreachable, "browser service", "no instance matching"},
		"silence":                {&link.StallError{Limit: 5}, source.ErrUnreachable, "check host and port", "the server has sent nothing for 5ns, the stall timeout"},
		"lost":                   {&net.OpError{Op: "Read", Err: io.EOF}, source.ErrUnreachable, "check host and port", "the connection was lost"},
		"lost in the middle":     {mssql.StreamError{InnerError: io.ErrUnexpectedEOF}, source.ErrUnreachable, "check host and port", "the connection was lost"},
		"reset in the middle":    {mssql.StreamError{InnerError: &net.OpError{Op: "read", Err: errors.New("reset by peer")}}, source.ErrUnreachable, "check host and port", "read: reset by peer"},
		"other bytes":            {mssql.StreamError{InnerError: errors.New("unknown token")}, source.ErrUnreachable, "check host and port", "unknown token"},
	} {
		err := d.ConnectError(tt.err)
		sqltest.IsOnly(t, name, err, tt.kind)
		if hint := source.Hint(err); !strings.Contains(hint, tt.hint) || !strings.HasPrefix(err.Error(), "connect to SQL Server at h port 1: "+tt.text) {
			t.Errorf("%s: got %v, hint %q", name, err, hint)
		}
	}
	wrong := errors.New(handshakeText + "tls: failed to verify certificate: x509: certificate is valid for a, not h")
	d.set.tls = &tls.Config{} //nolint:gosec // nothing connects
	for hint, validate := range map[string]bool{"validate_host: false": true, "ssl_ca must contain the authority": false} {
		d.set.validateHost = validate
		sqltest.Refuse(t, d.ConnectError(wrong), source.ErrConfig, hint, "valid for a, not h")
	}
	d.set.instance = "X"
	sqltest.Refuse(t, d.ConnectError(io.EOF), source.ErrUnreachable, `at h\X: `)
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

// relationOf is a readable table, as the catalog lists it.
func relationOf(schema, name string) relation {
	return relation{Schema: schema, Name: name, Kind: sqlread.KindTable, Scope: schema + "." + name, Entry: [2]string{schema, name}, Readable: true}
}

func TestTableErrorKinds(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t, settings{Login: form.Login{User: "u"}}, source.Env{})
	p := d.Part(relationOf("s", "t"), nil)
	for number, want := range map[int32]error{
		229: source.ErrAuth, 230: source.ErrAuth, 916: source.ErrAuth, 208: nil, 207: nil, 102: nil, 8134: nil, 4413: source.ErrConfig, 4502: source.ErrConfig,
		1205: source.ErrTemporary, 1222: source.ErrTemporary, 3958: source.ErrTemporary, 3960: source.ErrTemporary, 3961: source.ErrTemporary,
		8645: source.ErrTemporary, 40613: source.ErrTemporary, 615: source.ErrTemporary, 926: source.ErrTemporary, 976: source.ErrTemporary,
		3947: source.ErrTemporary, 3953: source.ErrTemporary, 41301: source.ErrTemporary, 41305: source.ErrTemporary, 41325: source.ErrTemporary, 8628: source.ErrTemporary,
	} {
		err := p.Failed("read rows", answerOf(number, 16))
		sqltest.IsOnly(t, fmt.Sprint(number), err, want)
		if got, want := err.Error(), fmt.Sprintf("s.t: read rows: a b (error %d)", number); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for name, err := range map[string]error{
		"lost": io.EOF, "lost in the middle": mssql.StreamError{InnerError: io.ErrUnexpectedEOF}, "ended by the server": answerOf(596, 21), "altered": sqlread.ErrTableChanged,
	} {
		sqltest.IsOnly(t, name, p.Failed("read rows", err), source.ErrTemporary)
	}
	sqltest.IsOnly(t, "canceled", p.Failed("read rows", context.Canceled), nil)
	sqltest.IsOnly(t, "gone", p.Failed("read rows", errTableGone), nil)
	sqltest.Refuse(t, p.Failed("read rows", answerOf(229, 14)), source.ErrAuth, "GRANT SELECT ON [s].[t] TO [u];", `exclude it with tables: ["-s.t"]`)
	rule := d.Part(p.Rel, &sqlread.Selection{Rule: &sqlread.Rule{Path: "advanced_rules[0]"}, Tables: []relation{relationOf("s", "a"), relationOf("s", "b")}})
	sqltest.Refuse(t, rule.Failed("read rows", answerOf(230, 14)), source.ErrAuth, "ON [s].[a] TO", "ON [s].[b] TO", "remove advanced_rules[0]")
}

// TestAnswers checks that the error that explains the others is reported, and that reading does not continue on a
// connection that an error has ended.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err      error
		code     int32
		answered bool
	}{
		"one":                 {answerOf(208, 16), 208, true},
		"wrapped":             {fmt.Errorf("x: %w", answerOf(208, 16)), 208, true},
		"of a view":           {answerOf(4413, 16, 208), 4413, true},
		"of a description":    {answerOf(11529, 16, 229), 229, true},
		"of two summaries":    {answerOf(8180, 16, 11501), 8180, true},
		"a login":             {answerOf(18456, 14, 4060), 4060, true},
		"a login, with words": {answerOf(18456, 14, 0), 18456, true},
		"the end":             {answerOf(596, 21), 596, false},
		"no number":           {mssql.Error{Message: "Request failed"}, 0, false},
		"another":             {io.EOF, 0, false},
	} {
		if got := code(tt.err); got != tt.code || answered(tt.err) != tt.answered {
			t.Errorf("%s: got %d, %t", name, got, answered(tt.err))
		}
	}
}

// TestFold checks that a server whose names ignore case finds a name written in a different case.
func TestFold(t *testing.T) {
	t.Parallel()
	s, err := Type.Open(t.Context(), sqltest.Parse(t, &Type, plain(map[string]any{"tables": "Orders,LOG_*,-Sales.Log_1", "schema": "DBO,Sales"})), source.Env{
		Log: slog.New(slog.DiscardHandler), AdvancedRules: []any{map[string]any{"tables": []any{"Orders"}, "query": "SELECT 1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := s.(*database)
	d.fold()
	if diff := cmp.Diff(sqlread.SchemaList{"dbo", "sales"}, d.set.schemas); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]bool{"orders": true, "log_2": true, "log_1": false, "customers": false} {
		r := relation{Kind: sqlread.KindTable, Match: [2]string{"sales", name}}
		if got := d.Wants(&r); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
	orders := relation{ID: 1, Schema: "Sales", Name: "oRDERs", Match: [2]string{"sales", "orders"}}
	parts, _, err := d.Plan(&catalogue{Relations: []relation{orders}})
	if err != nil || len(parts) != 1 || parts[0].Scope() != "Sales.oRDERs" {
		t.Errorf("the rule: %v", err)
	}
	again := orders
	again.ID, again.Schema, again.Match[0] = 2, "dbo", "dbo"
	_, _, err = d.Plan(&catalogue{Relations: []relation{orders, again}})
	sqltest.Refuse(t, err, source.ErrConfig, "advanced_rules[0].tables[0]", "in several schemas", "write Sales.oRDERs or dbo.oRDERs")
	none := &catalogue{}
	d.said(none, nil)
	_, _, err = d.Plan(none)
	sqltest.Refuse(t, err, source.ErrConfig, "there is no table orders in schema dbo, sales")
}

// TestPins checks that a snapshot is taken by reading a readable table, or a view only if there is no table.
func TestPins(t *testing.T) {
	t.Parallel()
	table := func(name, kind string, readable, memory bool) *part {
		return &part{Subject: sqlread.Subject{Rel: relation{Schema: "s", Name: name, Kind: kind, Readable: readable, Unversioned: memory}}}
	}
	a, v := table("a", sqlread.KindTable, true, false), table("v", sqlread.KindView, true, false)
	rule := &part{Subject: sqlread.Subject{Rule: &sqlread.Selection{Tables: []relation{a.Rel, v.Rel, {Schema: "s", Name: "b", Kind: sqlread.KindTable, Readable: true}}}}}
	got := pinsOf([]*part{v, table("denied", sqlread.KindTable, false, false), table("memory", sqlread.KindTable, true, true), a, rule})
	if diff := cmp.Diff([]string{"[s].[a]", "[s].[b]", "[s].[v]"}, got); diff != "" {
		t.Error(diff)
	}
}

// idOf is the id of a row of a table y of the schema x.
func idOf(t *testing.T, tbl *table, p sqlread.Profile, values ...driver.Value) string {
	t.Helper()
	d := newTestDatabase(t, settings{database: "d"}, source.Env{})
	d.Profile = p
	r, _ := d.rowOf(d.Part(relationOf("x", "y"), nil), tbl)
	return r.Document(values).ID
}

// namesOf names the fields of columns of a table T of the schema S.
func namesOf(p sqlread.Profile, columns ...string) ([]string, []sqlread.Renamed) {
	t := &table{}
	for _, c := range columns {
		t.Columns = append(t.Columns, column{Name: c})
	}
	metadata := sqlread.OriginNames(p)
	return t.FieldNames(p, "S_T_", metadata[:]...)
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	tbl := declared(false, "B", sized("int", 4), "a", latin("varchar", 20), "c", sized("bit", 1))
	tbl.Key = []int{0, 1, 2}
	for p, want := range map[sqlread.Profile]string{
		sqlread.Head: "d_x_y_x:y_7_True", sqlread.Seed87: "d_x_y_x:y_7_True_", sqlread.Native: "mssql:d:x:y:7:x%3Ay:true",
	} {
		tbl.InID = orderOfIDs(p, tbl)
		if got := idOf(t, tbl, p, int64(7), "x:y", true); got != want {
			t.Errorf("%v: got %s", p, got)
		}
	}
	for p, want := range map[sqlread.Profile]string{
		sqlread.Head: "d_x_y__0_False", sqlread.Seed87: "d_x_y_", sqlread.Native: "mssql:d:x:y:0:%00:false",
	} {
		tbl.InID = orderOfIDs(p, tbl)
		values := []driver.Value{int64(0), "", false}
		if p == sqlread.Native {
			values[1] = nil
		}
		if got := idOf(t, tbl, p, values...); got != want {
			t.Errorf("%v: got %s", p, got)
		}
	}
	names, renamed := namesOf(sqlread.Head, "A", "a", "", ".", "A.b", "c.D")
	if diff := cmp.Diff([]string{"s_t_a", "s_t_a_2", "s_t_", "s_t__", "s_t_a_b", "s_t_c.d"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]sqlread.Renamed{{Column: "a", Field: "s_t_a_2"}, {Column: ".", Field: "s_t__"}, {Column: "A.b", Field: "s_t_a_b"}}, renamed); diff != "" {
		t.Error(diff)
	}
	names, _ = namesOf(sqlread.Native, "A.b", " ")
	if diff := cmp.Diff([]string{"A_b", "_col2"}, names); diff != "" {
		t.Error(diff)
	}
}

// TestErrorsThatKeepTheConnection checks that other tables keep the connection and its snapshot after an error that
// is not the connection's, and that temporary errors differ from errors that were retried to the limit.
func TestErrorsThatKeepTheConnection(t *testing.T) {
	t.Parallel()
	unreachable := &source.Error{Kind: source.ErrUnreachable, Err: io.EOF}
	for name, tt := range map[string]struct {
		err          error
		kept, passes bool
	}{
		"no rights":        {answerOf(229, 14), true, false},
		"a lock":           {answerOf(1222, 16), true, true},
		"ended":            {answerOf(596, 21), false, true},
		"lost":             {io.EOF, false, true},
		"no key":           {&source.Error{Kind: source.ErrConfig, Err: errors.New("no key")}, true, false},
		"altered":          {sqlread.ErrTableChanged, true, false},
		"gone":             {errTableGone, true, false},
		"canceled":         {context.Canceled, false, false},
		"not reached":      {unreachable, true, false},
		"none, left early": {nil, false, false},
	} {
		if keepsConnection(tt.err) != tt.kept || mayPass(tt.err) != tt.passes {
			t.Errorf("%s: keeps the connection %t, is temporary %t", name, keepsConnection(tt.err), mayPass(tt.err))
		}
	}
}

func TestPartNames(t *testing.T) {
	t.Parallel()
	p := &part{Subject: sqlread.Subject{Rel: relation{Estimate: 7, Scope: "s.t"}}}
	if n, known := p.Estimate(); n != 7 || !known || p.Name() != "s.t" || p.Scope() != "s.t" {
		t.Errorf("got %d, %t, %s, %s", n, known, p.Name(), p.Scope())
	}
	p.Rel.Estimate, p.Rule = 0, &sqlread.Selection{Rule: &sqlread.Rule{Path: "advanced_rules[1]"}}
	if _, known := p.Estimate(); known || p.Name() != "s.t, advanced_rules[1]" || p.Scope() != "s.t" {
		t.Errorf("got %t, %s, %s", known, p.Name(), p.Scope())
	}
}

// TestTheHintOfManyRefusalsGrantsTheirSchemas checks that the hint does not list a statement for each of many tables.
func TestTheHintOfManyRefusalsGrantsTheirSchemas(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t, settings{Login: form.Login{User: "u"}}, source.Env{})
	var parts []*part
	for i := range namedAtMost + 1 {
		r := relationOf([]string{"a", "b"}[i%2], fmt.Sprint("t", i))
		r.Readable = false
		parts = append(parts, d.Part(r, nil))
	}
	for n, want := range map[int]string{
		0:               "",
		1:               `GRANT SELECT ON [a].[t0] TO [u]; or exclude it with tables: ["-a.t0"]`,
		2:               `GRANT SELECT ON [a].[t0] TO [u]; GRANT SELECT ON [b].[t1] TO [u]; or exclude them with tables: ["-a.t0", "-b.t1"]`,
		namedAtMost + 1: "GRANT SELECT ON SCHEMA::[a] TO [u]; GRANT SELECT ON SCHEMA::[b] TO [u]; or list only readable tables in tables:",
	} {
		if got := d.hintOfRefused(parts[:n]); got != want {
			t.Errorf("%d: got %s", n, got)
		}
	}
	for name, want := range map[string]string{"timestamp": "binary", "json": "nvarchar", "": "udt", "geography": "udt", "int": "int"} {
		if got := sentAs(name); got != want {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// TestErrorsOfTheNetworkKeepTheirText: only an error that says no more than that the connection ended becomes "the
// connection was lost".
func TestErrorsOfTheNetworkKeepTheirText(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"i/o timeout":            os.ErrDeadlineExceeded,
		"read rows: i/o timeout": fmt.Errorf("read rows: %w", os.ErrDeadlineExceeded),
		link.Lost:                io.ErrUnexpectedEOF,
	} {
		if got := verdicts.Shorten(err); got.Error() != want || !errors.Is(got, err) {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
}
