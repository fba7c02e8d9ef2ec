//go:build unix

package dir

import (
	"io/fs"
	"syscall"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// nonblock lets the opening of a pipe return at once.
const nonblock = syscall.O_NONBLOCK

// appendOwner adds mode, with the bits of the file's type, and owner.
func appendOwner(fields []document.Field, info fs.FileInfo) []document.Field {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fields
	}
	return append(fields,
		document.Field{Name: modeField, Value: document.Int(int64(st.Mode))},
		document.Field{Name: userField, Value: document.Int(int64(st.Uid))},
		document.Field{Name: groupField, Value: document.Int(int64(st.Gid))},
	)
}
