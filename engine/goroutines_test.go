package engine_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unguarded lists the goroutines without [crash.Guarded], by file and function, each with the reason why a panic
// in it does not end the program.
var unguarded = map[string]string{
	"commands/internal/term/escape.go newEscapable": "it writes to a file and does nothing else",
	"commands/internal/term/streams.go Ask":         "it reads a line and does nothing else",
	"commands/signals.go Ending":                    "Run, which it runs, catches panics itself",
	"commands/signals.go Signals":                   "it waits for signals and ends contexts",
	"engine/embedded/server.go Close":               "it waits and does nothing else",
	"engine/embedded/store.go guard":                "it catches panics itself, and says that the store is broken",
}

// TestEveryGoroutineIsGuarded: a panic in a goroutine that does not catch it ends the program, with the exit code
// of a wrong command line. So each goroutine of a run goes through engine/crash. Functions for AfterFunc are not
// checked: they end contexts and connections.
func TestEveryGoroutineIsGuarded(t *testing.T) {
	t.Parallel()
	var files []string
	for _, dir := range []string{"commands", "engine", "sources"} {
		err := walkGo(os.DirFS(".."), dir, func(path string) {
			if !ofTests(path) {
				files = append(files, path)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	guarded, met := 0, map[string]string{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			for _, started := range goroutines(f) {
				at := path + " " + f.Name.Name
				switch {
				case catches(started):
					guarded++
				case unguarded[at] == "":
					t.Errorf("%s starts a goroutine that does not run its work by crash.Guarded", at)
				default:
					met[at] = unguarded[at]
				}
			}
		}
	}
	if d := cmp.Diff(unguarded, met); d != "" {
		t.Errorf("the goroutines that need no guard (-listed +found):\n%s", d)
	}
	if guarded < 10 {
		t.Errorf("only %d guarded goroutines were found", guarded)
	}
}

// ofTests reports whether a file contains only tests or test support.
func ofTests(path string) bool {
	return strings.HasSuffix(path, "_test.go") || slices.ContainsFunc(strings.Split(filepath.Dir(path), "/"), func(dir string) bool {
		return strings.HasSuffix(dir, "test") || dir == "fault" || dir == "testdata"
	})
}

// goroutines are the functions that are started by go, or by the Go and TryGo of a group.
func goroutines(in ast.Node) (started []ast.Node) {
	ast.Inspect(in, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			started = append(started, n.Call)
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && (s.Sel.Name == "Go" || s.Sel.Name == "TryGo") && len(n.Args) == 1 {
				started = append(started, n.Args[0])
			}
		}
		return true
	})
	return started
}

// catches reports whether a goroutine calls crash.Guarded, or guarded of this package.
func catches(started ast.Node) (found bool) {
	ast.Inspect(started, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			switch fmt.Sprint(call.Fun) {
			case "guarded", "&{crash Guarded}":
				found = true
			}
		}
		return !found
	})
	return found
}
