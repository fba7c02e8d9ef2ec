// Package indexname defines the valid names of a connector's index. The configuration file, the records
// of connectors and the command line use the same check: what one of them refuses, all refuse.
//
// A name that is not plain would be an instruction to Elasticsearch: a wildcard, a list or date math means
// other indices than the one that is mirrored into.
package indexname

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// protocolIndices is the prefix of the indices that hold connectors and sync jobs.
const protocolIndices = ".elastic-connectors"

// Problem says why no connector may have an index of this name, "" if one may.
// https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-create
func Problem(name string) string {
	switch {
	case name == "":
		return "must not be empty"
	case name == "." || name == "..":
		return "must not be . or .."
	case len(name) > 255:
		return "must not be longer than 255 bytes"
	case strings.ContainsAny(name[:1], "-_+"):
		return "must not begin with -, _ or +"
	case !utf8.ValidString(name):
		return "must be valid UTF-8"
	case strings.ToLower(name) != name:
		return "must be lower case"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "must not hold control characters"
	case OfProtocol(name):
		return "must not begin with " + protocolIndices + ", where connectors and sync jobs are stored"
	}
	if at := strings.IndexAny(name, `\/*?"<>| ,#:`); at >= 0 {
		return fmt.Sprintf("must not hold %q", name[at])
	}
	return ""
}

// ProblemOfRecord says why no record of a connector may have an index of this name. The user who can write a
// record is not always the one who runs this program, so names that begin with a dot, like those of system
// indices, are reserved for the configuration file.
func ProblemOfRecord(name string) string {
	if problem := Problem(name); problem != "" {
		return problem
	}
	if strings.HasPrefix(name, ".") {
		return "must not begin with a dot, unless the configuration names it by index_name"
	}
	return ""
}

// OfProtocol reports whether an index of this name holds the records of connectors or sync jobs.
func OfProtocol(name string) bool { return strings.HasPrefix(name, protocolIndices) }
