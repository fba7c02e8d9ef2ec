package commands_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// TestTheProfileOfAFilledIndexChanges: every row gets another id, so all documents are written again, and the
// guard holds back the deletes of the former ones until they are confirmed. After that nothing differs.
func TestTheProfileOfAFilledIndexChanges(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(threeTables)
		b.grantAll()
		b.must(0, "sync")
		for _, profile := range []string{"seed87", "native", "head"} {
			b.configure("    profile: " + profile + "\n")
			if res := b.must(4, "sync"); res != (result{Exit: 4, Created: 90, Withheld: 90}) {
				t.Fatalf("to %s: %+v", profile, res)
			}
			if res := b.must(0, "sync", "--confirm-deletes", "90"); res != (result{Kept: 90, Deleted: 90}) {
				t.Fatalf("to %s, confirmed: %+v", profile, res)
			}
			if res := b.must(0, "diff"); res != (result{Kept: 90}) {
				t.Fatalf("%s: %+v", profile, res)
			}
		}
	})
}

const strangeTable = `
	CREATE TABLE t ("Id" text PRIMARY KEY, n numeric, f float8, r real, d date, at timestamptz, ts timestamp, tz timetz, i interval, b bytea,
		j jsonb, bits bit(8), p point, c circle, a int[], m money, x xml, range int4range,
		"a.b" int, a_b text, " " int, id int, _id text, "Table" text, _timestamp int, "F" text);
	INSERT INTO t ("Id", n, f, r, d, at, ts, "a.b", a_b, " ") VALUES
		('one', 'NaN', 'NaN', '-Infinity', 'infinity', '-infinity', 'infinity', 1, 'x', 2), ('', 1, 0.25, 0.1, '0044-03-15 BC', '294276-01-01', '10000-01-01', 3, '', 4);
	INSERT INTO t VALUES ('2:%', 12.50, 0.5, 1e30, '2024-02-29', '2024-01-02 03:04:05.5+00', '2024-01-02 03:04:05', '12:30:00+02', '1 day', '\xff41',
		'{"a": {"b": [1.50, null]}}', B'10101010', '(1.5,2)', '<(0,0),5>', '{{1,2},{3,NULL}}', 12.5, '<a/>', '[1,5)', 1, 'y', 1, 7, 'own', 'T', 8, 'f'),
		(repeat('long', 200), 10000, 1e30, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'null', NULL, NULL, NULL, '{}', NULL, NULL, 'empty', NULL, NULL, NULL, 9, '', '', 9, '');`

// TestProfilesAndEncodings: no document is refused, and the second run finds nothing to do.
func TestProfilesAndEncodings(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		for _, choice := range []string{"head, encoding: compat", "seed87, encoding: exact", "native, encoding: exact", "native, encoding: compat"} {
			b := newBench(t, elasticsearch)
			table := strangeTable
			if !strings.HasPrefix(choice, "native") { // there a dot in a field name creates an object
				table = strings.Replace(table, `"a.b"`, `"a/b"`, 2)
			}
			b.exec(table)
			b.grantAll()
			b.configure("    " + strings.ReplaceAll("profile: "+choice, ", ", "\n    ") + "\n")
			if res := b.must(0, "sync"); res != (result{Created: 4}) {
				t.Errorf("%s: %+v", choice, res)
			}
			if res := b.must(0, "sync"); res != (result{Kept: 4}) {
				t.Errorf("%s, again: %+v", choice, res)
			}
		}
	})
}

// TestAnIndexOfElasticsConnectorIsTakenOver fills an index as Elastic's connector does: with the profile of
// its version and the encoding compat, every document is unchanged.
func TestAnIndexOfElasticsConnectorIsTakenOver(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, elasticsearch string) {
		for profile, metadata := range map[string]string{"head": "database schema table", "seed87": "Database schema Table"} {
			t.Run(profile, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, elasticsearch)
				b.exec(`CREATE TABLE "T" (id numeric, ok bool, "At" timestamptz, n numeric(6,2), f float8, b bytea, j jsonb, PRIMARY KEY (id, ok));
					INSERT INTO "T" VALUES (20000, false, '2024-01-02 03:04:05.5+02', 5, 5, '\x41ff', '{"b": 1.50, "a": null}')`)
				b.grantAll()
				id := map[string]string{"head": "DB_public_T_2E+4_False", "seed87": "DB_public_T_2E+4_"}[profile]
				names := strings.Fields(metadata)
				doc := `{"_timestamp": "2024-05-06T07:08:09+00:00", "` + names[0] + `": "DB", "` + names[2] + `": "T", "` + names[1] + `": "public",
					"public_t_id": 20000.0, "public_t_ok": false, "public_t_at": "2024-01-02T01:04:05.500000+00:00", "public_t_n": 5.0,
					"public_t_f": 5.0, "public_t_b": "A", "public_t_j": {"b": 1.5, "a": null}, "id": "` + id + `",
					"_extract_binary_content": true, "_reduce_whitespace": true, "_run_ml_inference": true}`
				doc = strings.NewReplacer("DB", b.database, "\n", "").Replace(doc)
				b.call(http.MethodPost, "/"+b.index+"/_bulk?refresh=true", `{"index": {"_id": "`+strings.Replace(id, "DB", b.database, 1)+"\"}}\n"+doc+"\n")
				b.configure("    profile: " + profile + "\n    encoding: compat\n")
				if res := b.must(0, "diff"); res != (result{Kept: 1}) {
					t.Errorf("%+v", res)
				}
			})
		}
	})
}
