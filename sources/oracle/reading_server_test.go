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
	wallet := db.values(map[string]any{"oracle_protocol": "TCPS", "wallet_configuration_path": t.TempDir()})
	environments := sqltest.Profiles
	if db.standIn {
		environments = environments[:1] // it opens a session in half a second, and there are hundreds
	}
	config := sourcetest.Config{Type: Type, Broken: map[string]sourcetest.Broken{"wallet": {Values: wallet, Kind: source.ErrConfig}}}
	config.Loss = sqltest.LossAfter(8000, db.values) // the rows are shorter than those of the other databases
	config.FailingPart = func(t *testing.T) sourcetest.FailingPart {
		t.Helper()
		return sourcetest.FailingPart{Values: db.values(map[string]any{"tables": "A,NOSUCH"}), Scope: "NOSUCH", Kind: source.ErrConfig}
	}
	sqltest.Contract(t, config, db.values, environments)
}
