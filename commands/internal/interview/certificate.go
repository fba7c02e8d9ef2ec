package interview

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/draft"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// The marks of a block of PEM.
const (
	pemBegins = "-----BEGIN "
	pemEnds   = "-----END "
)

// isPEM reports whether the value of a field is PEM, which only its tooltip says.
func isPEM(s *field.Spec) bool {
	return !s.Sensitive && !s.Path && strings.Contains(s.Tooltip, "as PEM")
}

// acceptedPEM reports whether a value is PEM, or a reference to it, or missing.
func acceptedPEM(value string) bool {
	_, variable := draft.Referred(value)
	_, file := draft.Included(value)
	return value == "" || variable || file || strings.HasPrefix(value, pemBegins)
}

// certificate asks for PEM: the path of a file, which the configuration then includes, or its text.
func (iv *Interview) certificate(ctx context.Context, question string, s *field.Spec) error {
	before := iv.draft.Values[s.Name]
	usual := before
	hint := "path of the PEM file, or the certificate pasted"
	if file, ok := draft.Included(before); ok {
		usual = file
	} else if strings.HasPrefix(before, pemBegins) {
		usual, hint = "", hint+"; empty keeps the pasted one"
	}
	answer, err := iv.dialog.Line(ctx, question+" ("+hint+")", usual)
	switch {
	case err != nil:
		return err
	case answer == "":
		answer = before
	case strings.HasPrefix(answer, pemBegins):
		if answer, err = iv.pasted(ctx, answer); err != nil {
			return err
		}
	default:
		answer = iv.included(answer)
	}
	iv.set(s.Name, answer)
	return nil
}

// pasted reads the rest of a pasted text, of which line is the first one, and returns its blocks. An empty line ends it
// after a block: whether more was pasted cannot be known otherwise.
func (iv *Interview) pasted(ctx context.Context, line string) (string, error) {
	var lines []string
	inside := false
	for {
		line = strings.TrimSpace(line)
		inside = inside || strings.HasPrefix(line, pemBegins)
		if inside && line != "" {
			lines = append(lines, line)
		}
		if !inside && line == "" {
			return strings.Join(lines, "\n"), nil
		}
		if inside && strings.Contains(line, pemEnds) {
			inside = false
			iv.dialog.Say("Another certificate, or an empty line after the last one:")
		}
		var err error
		if line, err = iv.dialog.More(ctx); err != nil {
			return "", err
		}
	}
}

// included is the reference to the file that an answer names: by its path from the folder of the configuration, or from
// the working directory. An answer that names none is returned unchanged.
func (iv *Interview) included(answer string) string {
	inFolder := answer
	if !filepath.IsAbs(answer) {
		inFolder = filepath.Join(filepath.Dir(iv.File), answer)
	}
	here, err := filepath.Abs(answer)
	if err != nil {
		here = answer
	}
	for _, try := range []struct{ file, written string }{{inFolder, answer}, {here, here}} {
		if info, err := os.Stat(try.file); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if reference := draft.Include(try.written); acceptedPEM(reference) {
			return reference
		}
	}
	return answer
}
