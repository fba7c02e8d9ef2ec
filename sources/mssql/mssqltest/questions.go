package mssqltest

import "github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"

// question answers one that is known by its text.
type question func(s *session, params []tdstest.Param) (relation, error)

// questions are those of the catalogue, by their texts.
func questions() map[string]question {
	return map[string]question{}
}
