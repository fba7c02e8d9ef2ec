package oracle

import (
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func TestContract(t *testing.T) {
	db := newDB(t)
	db.exec(`CREATE TABLE @."A" ("ID" NUMBER(10) PRIMARY KEY, "V" VARCHAR2(4000), "AT" TIMESTAMP(3))`,
		`CREATE TABLE @."B.x" ("K" VARCHAR2(100) PRIMARY KEY, "L" NUMBER(12,2))`, `INSERT INTO @."B.x" VALUES ('x', NULL)`, `INSERT INTO @."B.x" VALUES ('žluť😀', -1.5)`)
	db.fill(`@."A"`, 500, `'žluť ' || n, TIMESTAMP '2024-01-02 03:04:05.678'`)
	broken := func(key string, value any, kind error) sourcetest.Broken {
		return sourcetest.Broken{Values: db.values(map[string]any{key: value}), Kind: kind}
	}
	wallet := broken("oracle_protocol", "TCPS", source.ErrConfig)
	wallet.Values["wallet_configuration_path"] = t.TempDir()
	config := sourcetest.Config{
		Type:   Type,
		Values: func(*testing.T) map[string]any { return db.values(nil) },
		Broken: map[string]sourcetest.Broken{
			"password": broken("password", "wrong", source.ErrAuth),
			"port":     broken("port", 1, source.ErrUnreachable),
			"host":     broken("host", "nosuch.invalid", source.ErrUnreachable),
			"tables":   broken("tables", []any{" "}, source.ErrConfig),
			"pattern":  broken("tables", "a[", source.ErrConfig),
			"wallet":   wallet,
		},
		FailingPart: func(t *testing.T) sourcetest.FailingPart {
			t.Helper()
			return sourcetest.FailingPart{Values: db.values(map[string]any{"tables": "A,NOSUCH"}), Scope: "NOSUCH", Kind: source.ErrConfig}
		},
		NoContent: "a row is all fields",
	}
	envs := []source.Env{{}, {Profile: "seed87", Encoding: "compat"}, {Profile: "native"}}
	if db.standIn {
		envs = envs[:1] // a session takes it half a second to open, and there are hundreds
	}
	for _, config.Env = range envs {
		config.Env.StallTimeout = sqltest.Patience
		t.Run(config.Env.Profile+config.Env.Encoding, func(t *testing.T) { sourcetest.Run(t, config) })
	}
}
