package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// An origin is what values need after the file has been read: the file's name
// for messages, its folder, and how to fetch secrets.
type origin struct {
	file, dir string
	env       Env
	places    map[string]place // of the keys of a connector's configuration
}

// errIsNoFile is a file that could block the program until another process writes into it.
var errIsNoFile = errors.New("is a pipe or a device, not a regular file")

// regular checks that a file can be read without waiting for another process. Links are followed,
// because secrets are mounted as links.
func regular(file string) error {
	info, err := os.Stat(file)
	switch {
	case err != nil || info.Mode().IsRegular():
		return err
	case info.IsDir():
		return errIsFolder
	}
	return errIsNoFile
}

// unreadable says why a file cannot be read, or "".
func unreadable(file string) string {
	if err := regular(file); err != nil {
		return reason(err)
	}
	f, err := os.Open(file)
	if err != nil {
		return reason(err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return reason(errIsFolder)
	}
	return ""
}

// reason is the same text on every system, without the name of the file.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "cannot be read: permission denied"
	case errors.Is(err, errIsFolder):
		return "is a folder"
	case errors.Is(err, errIsNoFile):
		return err.Error()
	case errors.Is(err, errTooLarge):
		return err.Error()
	}
	if bad, ok := errors.AsType[*fs.PathError](err); ok {
		err = bad.Err
	}
	return "cannot be read: " + err.Error()
}

// secretFile returns the content of a file, without the newline at its end.
func (o *origin) secretFile(path string) (string, error) {
	if strings.TrimSpace(path) == "" {
		return "", errors.New("its name is empty")
	}
	file := absolute(o.dir, path)
	err := regular(file)
	var data []byte
	if err == nil {
		data, err = readFile(file, maxSecret)
	}
	if err != nil {
		return "", fmt.Errorf("file %s %s", file, reason(err))
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// command returns the output of a program, without the newline at its end.
func (o *origin) command(ctx context.Context, argv []string) (string, error) {
	if len(argv) == 0 || argv[0] == "" {
		return "", errors.New("names no program")
	}
	argv = append([]string(nil), argv...)
	if strings.ContainsRune(argv[0], '/') || strings.ContainsRune(argv[0], filepath.Separator) {
		argv[0] = absolute(o.dir, argv[0]) // otherwise it is searched for in PATH
	}
	limit := o.env.CommandTimeout
	if limit == 0 {
		limit = commandTimeout
	}
	run := o.env.RunCommand
	if run == nil {
		run = runCommand
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stdout, err := run(timed, o.dir, argv)
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("run %s: %w", argv[0], ctx.Err())
	case timed.Err() != nil:
		return "", fmt.Errorf("run %s: took longer than %s", argv[0], limit)
	case err != nil:
		return "", fmt.Errorf("run %s: %w", argv[0], err)
	}
	return strings.TrimRight(string(stdout), "\r\n"), nil
}

// runCommand runs a program. Its error contains the program's standard error
// output, and never its standard output.
func runCommand(ctx context.Context, dir string, argv []string) ([]byte, error) {
	stdout, stderr := &capped{limit: maxSecret}, &capped{limit: 4096}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, stdout, stderr
	cmd.WaitDelay = time.Second // for a grandchild that keeps the pipes open
	err := cmd.Run()
	switch {
	case err == nil && stdout.full:
		return nil, fmt.Errorf("printed more than %d bytes", maxSecret)
	case err == nil:
		return stdout.kept.Bytes(), nil
	}
	said := strings.TrimSpace(stderr.kept.String())
	if secret := strings.TrimSpace(stdout.kept.String()); secret != "" {
		said = strings.ReplaceAll(said, secret, field.Hidden)
	}
	if said == "" {
		return nil, err
	}
	return nil, fmt.Errorf("%w: %s", err, said)
}

// A capped buffer drops everything beyond its limit.
// It does not embed the buffer, whose ReadFrom would bypass the limit.
type capped struct {
	kept  bytes.Buffer
	limit int
	full  bool
}

func (c *capped) Write(p []byte) (int, error) {
	room := min(len(p), c.limit-c.kept.Len())
	c.full = c.full || room < len(p)
	c.kept.Write(p[:room])
	return len(p), nil
}

// secret reads a secret from name, name_file or name_command, only one of which
// may be given in one place; a place of higher rank replaces the others.
func (o *object) secret(name string) (Secret, place) {
	found := map[string]*node{}
	top := 0
	o.describe(Key{Name: name, Kind: SecretOf})
	o.describe(Key{Name: name + "_file", Kind: Text})
	o.describe(Key{Name: name + "_command", Kind: Command})
	for _, suffix := range []string{"", "_file", "_command"} {
		if n := o.take(name + suffix); n != nil && n.kind != null {
			found[suffix] = n
			top = max(top, n.at.rank())
		}
	}
	var chosen *node
	var suffix string
	for _, s := range []string{"", "_file", "_command"} {
		n := found[s]
		switch {
		case n == nil, n.at.rank() < top:
			continue
		case chosen != nil:
			o.fail(n.at, name+s, "is given beside "+o.key(name+suffix)+" in "+chosen.at.String(), "keep one")
			return Secret{}, n.at
		}
		chosen, suffix = n, s
	}
	if chosen == nil {
		o.note(name, "", nil)
		return Secret{}, place{}
	}
	s, ok := o.l.fetch(chosen, o.key(name), suffix)
	if ok && s == "" && suffix != "" {
		o.fail(chosen.at, name+suffix, "gives an empty secret", "")
	}
	secret := NewSecret(s)
	o.note(name+suffix, secret.String(), chosen)
	return secret, chosen.at
}

// fetch returns the secret that a node holds or refers to.
func (l *loader) fetch(n *node, key, suffix string) (string, bool) {
	if suffix == "_command" {
		argv, ok := l.members(n, key+suffix)
		if !ok {
			return "", false
		}
		s, err := l.run(argv)
		if err != nil {
			l.fail(n.at, key+suffix, err.Error(), "")
		}
		return s, err == nil
	}
	if n.kind == list || n.kind == section {
		l.fail(n.at, key+suffix, "must be text, not "+n.kind.String(), "")
		return "", false
	}
	s, ok := l.expand(n, key+suffix, wholeSyntax)
	if !ok || suffix == "" {
		return s, ok
	}
	s, err := l.secretFile(s)
	if err != nil {
		l.fail(n.at, key+suffix, err.Error(), "the file must contain only the secret")
	}
	return s, err == nil
}
