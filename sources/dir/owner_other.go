//go:build !unix

package dir

import (
	"io/fs"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// nonblock is not needed where no pipe lies among files.
const nonblock = 0

// appendOwner adds nothing: there are neither mode nor owner in the sense of these fields.
func appendOwner(fields []document.Field, _ fs.FileInfo) []document.Field { return fields }
