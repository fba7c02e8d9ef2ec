package oracle

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/sijms/go-ora/v2/configurations"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/oracle/guard"
)

// plain is a complete configuration.
func plain(change map[string]any) map[string]any {
	return sqltest.Changed(map[string]any{"host": "nosuch.invalid", "port": 1521, "username": "shop", "password": "p", "sid": "XE"}, change)
}

// TestFields checks the keys against the connector protocol's for this service type.
func TestFields(t *testing.T) {
	t.Parallel()
	sqltest.FieldsAre(t, &Type, plain, map[string]int{
		"host": 1, "port": 2, "username": 3, "password": 4, "connection_source": 5, "sid": 6, "service_name": 7, "tables": 8, "fetch_size": 9,
		"retry_count": 10, "oracle_protocol": 11, "oracle_home": 12, "wallet_configuration_path": 13,
	}, map[string][]any{
		"port": {0, 65536}, "fetch_size": {0, 100001}, "retry_count": {-1, 21}, "tables": {"", " , "}, "sid": {""},
	})
	byService := plain(map[string]any{"connection_source": "service_name", "sid": ""})
	if _, err := field.Parse(Type.Fields, byService); err == nil || !strings.Contains(err.Error(), "service_name") {
		t.Errorf("without a service name: %v", err)
	}
}

// TestOpenRefuses checks that invalid configurations are refused before anything connects.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	sqltest.OpenRefuses(t, &Type, plain, map[string]sqltest.Refusal{
		"a pattern":            {Set: map[string]any{"tables": "a["}, Says: []string{"not complete", "double quotes"}},
		"a pattern of schemas": {Set: map[string]any{"tables": "S*.T"}, Says: []string{"the schema is a pattern", "name each schema"}},
		"a descriptor":         {Set: map[string]any{"sid": "(SID=x)"}, Says: []string{"sid: ", "write only the name"}},
		"a blank in the host":  {Set: map[string]any{"host": "a b"}, Says: []string{"host: ", "write only the name"}},
		"no wallet":            {Set: map[string]any{"oracle_protocol": "TCPS", "wallet_configuration_path": t.TempDir()}, Says: []string{"wallet_configuration_path: neither", "cwallet.sso"}},
	})
}

// TestIdleKeys checks that keys without an effect are reported.
func TestIdleKeys(t *testing.T) {
	t.Parallel()
	var log sqltest.Logbook
	sqltest.Open(t, &Type, plain(map[string]any{"oracle_home": "/opt/oracle", "wallet_configuration_path": "/wallet"}), log.Env())
	if !strings.Contains(log.String(), "oracle_home, wallet_configuration_path") {
		t.Errorf("it says: %s", &log)
	}
}

// TestAddressesReachTheDriver checks that the configured address reaches the driver unchanged.
func TestAddressesReachTheDriver(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ host, want string }{
		{"::1", "[::1]:1521"}, {"[::1]", "[::1]:1521"}, {" db.example.org ", "db.example.org:1521"},
	} {
		c := configOf(t, map[string]any{"host": tt.host, "username": "a@b:c", "password": "p@ss/w:rd%?&", "fetch_size": 500})
		if got := c.Servers[0].NetworkAddr(); got != tt.want || len(c.Servers) != 1 {
			t.Errorf("%q: got %s", tt.host, got)
		}
		if c.UserID != "a@b:c" || c.Password != "p@ss/w:rd%?&" || c.PrefetchRows != 500 || c.SSL || c.DBAPrivilege != configurations.NONE {
			t.Errorf("%q: got %s, %d rows", tt.host, c.UserID, c.PrefetchRows)
		}
	}
}

// TestSIDOrService checks that the descriptor has the chosen one.
func TestSIDOrService(t *testing.T) {
	t.Parallel()
	const program = "(CID=(PROGRAM=elastic-ingest)(HOST=elastic-ingest)(USER=elastic-ingest))"
	for name, tt := range map[string]struct {
		set  map[string]any
		want string
	}{
		"a SID":          {nil, "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=nosuch.invalid)(PORT=1521))(CONNECT_DATA=(SID=XE)" + program + "))"},
		"a service name": {map[string]any{"connection_source": "service_name", "service_name": " XEPDB1 "}, "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=nosuch.invalid)(PORT=1521))(CONNECT_DATA=(SERVICE_NAME=XEPDB1)" + program + "))"},
		"TLS":            {map[string]any{"oracle_protocol": "TCPS"}, "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcps)(HOST=nosuch.invalid)(PORT=1521))(CONNECT_DATA=(SID=XE)" + program + "))"},
	} {
		c := configOf(t, tt.set)
		if got := c.ConnectionData(); got != tt.want {
			t.Errorf("%s: got %s", name, got)
		}
		if tls := c.TLSConfig; (tls != nil) != c.SSL || tls != nil && (tls.InsecureSkipVerify || tls.RootCAs != nil) {
			t.Errorf("%s: TLS is %+v", name, tls)
		}
	}
	if configOf(t, map[string]any{"username": "sys"}).DBAPrivilege != configurations.SYSDBA {
		t.Error("SYS cannot log in")
	}
}

func configOf(t *testing.T, set map[string]any) *configurations.ConnectionConfig {
	t.Helper()
	s, err := newSettings(sqltest.Parse(t, &Type, plain(set)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := driverConfig(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOwnerOf(t *testing.T) {
	t.Parallel()
	for want, username := range map[string]string{"SHOP": " Shop ", "Shop": `"Shop"`, `"A`: `"a`} {
		if got := ownerOf(username); got != want {
			t.Errorf("%s: got %s", username, got)
		}
	}
}

// TestScopes checks that a document determines its table, whatever profile wrote it.
func TestScopes(t *testing.T) {
	t.Parallel()
	v := sqltest.Parse(t, &Type, plain(nil))
	sqltest.ScopesAre(t, &Type, v, map[string]sqltest.ScopeCase{
		"head":                               {Fields: map[string]any{"Database": "XE", "Table": "T"}, Want: "T"},
		"head, another schema":               {Fields: map[string]any{"Database": "XE", "Table": "HR.T"}, Want: "HR.T"},
		"head, a query":                      {Fields: map[string]any{"Database": "XE", "Table": []any{"HR.B", "A"}}, Want: "A+HR.B"},
		"head, another database":             {Fields: map[string]any{"Database": "OLD", "Table": "T"}, Want: "OLD:T"},
		"native":                             {Fields: map[string]any{"database": "XE", "schema": "SHOP", "table": "T"}, Want: "T"},
		"native, another schema":             {Fields: map[string]any{"database": "XE", "schema": "HR", "table": "T"}, Want: "HR.T"},
		"native, odd names":                  {Fields: map[string]any{"database": "XE", "schema": "HR", "table": "a.b"}, Want: `HR."a.b"`},
		"native, a query":                    {Fields: map[string]any{"database": "XE", "schema": []any{"SHOP", "HR"}, "table": []any{"B", "A"}}, Want: "B+HR.A"},
		"native, another database":           {Fields: map[string]any{"database": "OLD", "schema": "SHOP", "table": "T"}, Want: "OLD:T"},
		"native, lists of different lengths": {Fields: map[string]any{"database": "XE", "schema": []any{"SHOP"}, "table": []any{"B", "A"}}, Want: ""},
		"no text":                            {Fields: map[string]any{"Table": 5}, Want: ""},
		"an invalid database":                {Fields: map[string]any{"Database": 5, "Table": "T"}, Want: "T"},
		"nothing":                            {Fields: map[string]any{}, Want: ""},
		"a column named database":            {Fields: map[string]any{"database": "x"}, Want: ""},
	})
}

// TestNamesAreFoundAsWrittenOrInCapitals prefers the exact name to the one in capitals.
func TestNamesAreFoundAsWrittenOrInCapitals(t *testing.T) {
	t.Parallel()
	all := []relation{
		{Schema: "SHOP", Name: "CUSTOMERS"},
		{Schema: "SHOP", Name: "ORDER"},
		{Schema: "SHOP", Name: "MixedCase"},
		{Schema: "SHOP", Name: "MIXEDCASE"},
		{Schema: "SHOP", Name: "LOG_1"},
		{Schema: "SHOP", Name: "LOG_2"},
		{Schema: "HR", Name: "JOBS"},
		{Schema: "HR", Name: "CUSTOMERS"},
	}
	for list, want := range map[string]string{
		"*":                    "CUSTOMERS ORDER MixedCase MIXEDCASE LOG_1 LOG_2",
		"customers":            "CUSTOMERS",
		"order, MixedCase":     "ORDER MixedCase",
		"mixedcase":            "MIXEDCASE",
		`"mixedcase"`:          "",
		"log_*, -log_2":        "LOG_1",
		"-customers, -log_*":   "ORDER MixedCase MIXEDCASE",
		"hr.jobs":              "HR.JOBS",
		"hr.*":                 "HR.JOBS HR.CUSTOMERS",
		"hr.*, -hr.jobs":       "HR.CUSTOMERS",
		"jobs":                 "",
		"*, HR.JOBS":           "CUSTOMERS ORDER MixedCase MIXEDCASE LOG_1 LOG_2 HR.JOBS",
		"shop.order":           "ORDER",
		`"SHOP"."MixedCase"`:   "MixedCase",
		"customers, customers": "CUSTOMERS",
	} {
		r := newRun(t, map[string]any{"tables": list}, source.Env{})
		c := &catalogue{}
		for _, rel := range all {
			c.Relations = append(c.Relations, r.relation(rel.Schema, rel.Name, sqlread.KindTable))
		}
		r.resolve(c)
		parts, missing, err := r.Plan(c)
		var got []string
		for _, p := range parts {
			got = append(got, p.Name())
		}
		if strings.Join(got, " ") != want || err != nil || (len(missing) > 0) != (want == "") {
			t.Errorf("%s: got %s, %d missing, %v", list, got, len(missing), err)
		}
	}
}

// TestMissingTable checks that an unknown name fails alone, with a helpful message.
func TestMissingTable(t *testing.T) {
	t.Parallel()
	for list, says := range map[string][]string{
		"custmers":   {"CUSTMERS", `table "CUSTMERS" of the configuration does not exist`, `GRANT SELECT ON "SHOP"."CUSTMERS" TO "SHOP";`, `did you mean "CUSTOMERS"?`},
		"hr.nothing": {"HR.NOTHING", `GRANT SELECT ON "HR"."NOTHING" TO "SHOP";`},
		"temp":       {"TEMP", "is temporary"},
	} {
		r := newRun(t, map[string]any{"tables": list}, source.Env{})
		c := &catalogue{Relations: []relation{r.relation("SHOP", "CUSTOMERS", sqlread.KindTable), r.relation("SHOP", "TEMP", sqlread.KindTable)}}
		c.Relations[1].Why = "is temporary"
		r.resolve(c)
		parts, missing, err := r.Plan(c)
		if len(parts) != 0 || len(missing) != 1 || err != nil {
			t.Errorf("%s: %d parts, %d missing, %v", list, len(parts), len(missing), err)
			continue
		}
		got := sqltest.Read(t.Context(), missing[0])
		for _, text := range says {
			if all := missing[0].Scope() + "\n" + got.Err.Error() + "\n" + source.Hint(got.Err); !strings.Contains(all, text) {
				t.Errorf("%s: %q is not in %s", list, text, all)
			}
		}
	}
}

func TestWhyNotRead(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]bool{"BIN$x==$0": false, "DR$T$I": false, "MLOG$_T": false, "RUPD$_T": false, "T": true, "MLOG": true} {
		if got := whyNotRead(name) == ""; got != read {
			t.Errorf("%s: read is %t", name, got)
		}
	}
}

func TestWorthRetrying(t *testing.T) {
	t.Parallel()
	sqltest.Retries(t, worthRetrying, map[string]error{
		"hung up":           io.ErrUnexpectedEOF,
		"a panic":           fmt.Errorf("%w: x", guard.ErrPanic),
		"too many sessions": oraError(20),
		"starting":          oraError(1033),
		"no service yet":    oraError(12514),
		"killed":            oraError(28),
	}, map[string]error{
		"wrong password": oraError(1017),
		"locked":         oraError(28000),
		"expired":        oraError(28001),
		"no such SID":    oraError(12505),
	})
}

func TestConnectErrors(t *testing.T) {
	t.Parallel()
	d := &database{set: settings{Login: form.Login{Host: "h", Port: 1}, owner: "SHOP", sid: true}}
	sqltest.FailuresAre(t, d.ConnectError, "connect to Oracle at h port 1: ", map[string]sqltest.Failure{
		"wrong password": {Err: oraError(1017), Kind: source.ErrAuth, Hint: "not retried"},
		"locked":         {Err: oraError(28000), Kind: source.ErrAuth, Hint: `ALTER USER "SHOP" ACCOUNT UNLOCK;`},
		"expired":        {Err: oraError(28001), Kind: source.ErrAuth, Hint: `ALTER USER "SHOP" IDENTIFIED BY`},
		"no entry":       {Err: oraError(1045), Kind: source.ErrAuth, Hint: `GRANT CREATE SESSION TO "SHOP";`},
		"filtered":       {Err: oraError(12506), Kind: source.ErrAuth, Hint: "from this machine"},
		"no SID":         {Err: oraError(12505), Kind: source.ErrConfig, Hint: "check connection_source and sid"},
		"no service":     {Err: oraError(12514), Kind: source.ErrConfig, Hint: "lsnrctl status"},
		"too many":       {Err: oraError(18), Kind: source.ErrTemporary, Hint: ""},
		"lost":           {Err: oraError(12537), Kind: source.ErrUnreachable, Hint: "database is open"},
		"something":      {Err: oraError(600), Kind: nil, Hint: ""},
		"silence":        {Err: &link.StallError{Limit: 5}, Kind: source.ErrUnreachable, Hint: "check host, port"},
	})
}

// newTestDatabase is a database without a connection.
func newTestDatabase(t testing.TB, s settings) *database {
	t.Helper()
	d, err := newDatabase(s, source.Env{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTableErrorKinds(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t, settings{owner: "SHOP"})
	p := d.Part(d.relation("SHOP", "T", sqlread.KindTable), nil)
	for number, want := range map[int]error{
		1031: source.ErrAuth, 41900: source.ErrAuth, 942: nil, 904: nil, 933: nil, 4063: source.ErrConfig, 1456: source.ErrConfig,
		28: source.ErrTemporary, 1013: source.ErrTemporary, 1089: source.ErrTemporary, 1466: source.ErrTemporary, 1555: source.ErrTemporary,
		3113: source.ErrTemporary, 4068: source.ErrTemporary, 12571: source.ErrTemporary,
	} {
		err := p.Failed("read rows", oraError(number))
		sqltest.IsOnly(t, fmt.Sprint(number), err, want)
		if got, want := err.Error(), fmt.Sprintf("T: read rows: ORA-%05d: unchanged", number); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if err := p.Failed("read rows", io.ErrUnexpectedEOF); !errors.Is(err, source.ErrTemporary) {
		t.Errorf("a lost connection: %v", err)
	}
}

// TestErrorsHaveTheTextOfTheServer checks that errors keep the server's text, without the help address that new
// servers add and the position that the driver adds.
func TestErrorsHaveTheTextOfTheServer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"two lines":         {oraText(604, "ORA-00604: error\nORA-01555: snapshot too old\nHelp: https://docs.oracle.com/error-help/db/ora-00604/\n"), "ORA-00604: error ORA-01555: snapshot too old"},
		"without a text":    {oraText(12514, ""), "ORA-12514: TNS:listener does not currently know of service requested in connect descriptor"},
		"only a number":     {oraText(12345, ""), "ORA-12345"},
		"a lost connection": {io.EOF, "the connection was lost"},
		"an error of ours":  {sqlread.ErrTableChanged, "the table was altered in the meantime"},
	} {
		if got := verdicts.Shorten(tt.err).Error(); got != tt.want {
			t.Errorf("%s: got %q", name, got)
		}
		if !errors.Is(verdicts.Shorten(tt.err), tt.err) {
			t.Errorf("%s: the cause is lost", name)
		}
	}
}

// TestDeclaredKey checks that id_columns names a table as the table list does.
func TestDeclaredKey(t *testing.T) {
	t.Parallel()
	r := newRun(t, nil, source.Env{IDColumns: map[string][]string{"log": {"lower"}, "LOG": {"upper"}, "Mixed": {"mixed"}, "hr.jobs": {"other"}, "shop.v": {"dotted"}}})
	for want, rel := range map[string]relation{
		"upper": {Schema: "SHOP", Name: "LOG"}, "lower": {Schema: "SHOP", Name: "log"}, "mixed": {Schema: "SHOP", Name: "Mixed"},
		"other": {Schema: "HR", Name: "JOBS"}, "dotted": {Schema: "SHOP", Name: "V"}, "": {Schema: "HR", Name: "LOG"},
	} {
		rel = r.relation(rel.Schema, rel.Name, sqlread.KindTable)
		if got := strings.Join(r.DeclaredKey(&rel), " "); got != want {
			t.Errorf("%s.%s: got %q, want %q", rel.Schema, rel.Name, got, want)
		}
	}
}
