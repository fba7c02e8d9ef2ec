package mssql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func TestContract(t *testing.T) {
	db := newDB(t)
	db.exec("CREATE TABLE a (id int PRIMARY KEY, v nvarchar(max), at datetime2(3))",
		"CREATE TABLE [B.x] (k nvarchar(100) COLLATE Latin1_General_BIN2 PRIMARY KEY, l bit, [l.x] varbinary(9))",
		"INSERT INTO [B.x] VALUES (N'', NULL, NULL), (N'x', 1, 0x00ff), (N'\n\x01', 0, 0x)",
		"CREATE TABLE nothing (id int PRIMARY KEY)", "CREATE TABLE other (id int PRIMARY KEY)", "INSERT INTO other VALUES (1), (2), (3)")
	db.fill("a", 500, func(n int) string {
		return fmt.Sprintf("%d, N'%s', '2024-01-02T03:04:05'", n, strings.Repeat("žluť ", n))
	})
	broken := func(key string, value any, kind error) sourcetest.Broken {
		return sourcetest.Broken{Values: db.values(map[string]any{key: value}), Kind: kind}
	}
	tls := broken("ssl_enabled", true, source.ErrConfig)
	tls.Values["ssl_ca"] = "garbage"
	config := sourcetest.Config{
		Type:   Type,
		Values: func(*testing.T) map[string]any { return db.values(nil) },
		Broken: map[string]sourcetest.Broken{
			"password": broken("password", "wrong", source.ErrAuth),
			"database": broken("database", "nosuch", source.ErrConfig),
			"port":     broken("port", 1, source.ErrUnreachable),
			"host":     broken("host", "nosuch.invalid", source.ErrUnreachable),
			"tables":   broken("tables", []any{" "}, source.ErrConfig),
			"pattern":  broken("tables", "a[", source.ErrConfig),
			"ssl_ca":   tls,
		},
		FailingPart: func(t *testing.T) sourcetest.FailingPart {
			t.Helper()
			user, values := db.reader()
			db.exec("GRANT SELECT ON a TO "+user, "GRANT INSERT ON other TO "+user)
			values["tables"] = "a,other"
			return sourcetest.FailingPart{Values: values, Scope: "dbo.other", Kind: source.ErrAuth}
		},
		NoContent: "a row is all fields",
	}
	for _, config.Env = range []source.Env{{}, {Profile: "seed87", Encoding: "compat"}, {Profile: "native"}} {
		config.Env.StallTimeout = sqltest.Patience
		t.Run(config.Env.Profile+config.Env.Encoding, func(t *testing.T) { sourcetest.Run(t, config) })
	}
}
