// Package sources is the list of the built-in source types, and nothing else. A new source is a folder
// here and an entry in the list.
package sources

import (
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/azureblob"
	"github.com/elastic-ingest/elastic-ingest/sources/dir"
	"github.com/elastic-ingest/elastic-ingest/sources/gcs"
	"github.com/elastic-ingest/elastic-ingest/sources/mongodb"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql"
	"github.com/elastic-ingest/elastic-ingest/sources/mysql"
	"github.com/elastic-ingest/elastic-ingest/sources/networkdrive"
	"github.com/elastic-ingest/elastic-ingest/sources/oracle"
	"github.com/elastic-ingest/elastic-ingest/sources/postgresql"
	"github.com/elastic-ingest/elastic-ingest/sources/s3"
)

// Builtin is every source type that the program brings along.
var Builtin = source.MustRegistry(
	azureblob.Type,
	dir.Type,
	gcs.Type,
	mongodb.Type,
	mssql.Type,
	mysql.Type,
	networkdrive.Type,
	oracle.Type,
	postgresql.Type,
	s3.Type,
)
