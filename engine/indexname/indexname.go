// Package indexname says which names a connector's index may have. The configuration file, the records
// of connectors and the command line ask here alike: what one of them refuses, none lets pass.
//
// A name that is not plain would be an order to Elasticsearch: a wildcard, a list or date math means
// other indices than the one that is mirrored into.
package indexname

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// protocolIndices is how the names begin of the indices that hold connectors and sync jobs.
const protocolIndices = ".elastic-connectors"

// Problem says why no connector may have an index of this name, "" where one may.
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
		return "must not begin with " + protocolIndices + ", which is where connectors and sync jobs are kept"
	}
	if at := strings.IndexAny(name, `\/*?"<>| ,#:`); at >= 0 {
		return fmt.Sprintf("must not hold %q", name[at])
	}
	return ""
}

// ProblemOfRecord says why no record of a connector may have an index of this name. Who may write a
// record need not be who runs this program, so what begins with a dot, as the indices of the system do, is
// left to the configuration file.
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
