package analysis

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// TestAnalysisOfEachLanguage is the table: how a text is stemmed, in the order of the filters.
func TestAnalysisOfEachLanguage(t *testing.T) {
	t.Parallel()
	const fold = "cjk_width lowercase asciifolding "
	want := map[string]string{
		"da":    fold + "_danish_ danish",
		"de":    fold + "_german_ light_german",
		"en":    fold + "_english_ light_english",
		"es":    fold + "_spanish_ light_spanish",
		"fr":    "elision:13,true " + fold + "_french_ light_french",
		"it":    "elision:21,false " + fold + "_italian_ light_italian",
		"ja":    fold + "_english_ light_english cjk_bigram",
		"ko":    fold + "_english_ light_english cjk_bigram",
		"nl":    fold + "_dutch_ dutch",
		"pt":    fold + "_portuguese_ light_portuguese",
		"pt-br": fold + "_brazilian_ brazilian",
		"ru":    fold + "_russian_ russian",
		"th":    fold + "_thai_ light_english",
		"zh":    fold + "_english_ light_english cjk_bigram",
	}
	got := map[string]string{}
	for _, code := range Languages() {
		s := settingsOf(t, code, false)
		var words []string
		for _, name := range s.Analyzer["iq_text_stem"].Filter {
			f, ours := s.Filter[name]
			switch {
			case !ours:
				words = append(words, name)
			case f.Type == "stemmer":
				words = append(words, f.Language)
			case f.Type == "stop":
				words = append(words, f.StopWords)
			default:
				words = append(words, fmt.Sprintf("%s:%d,%v", f.Type, len(f.Articles), f.IgnoreCase))
			}
		}
		got[code] = strings.Join(words, " ")
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, code := range []string{"", "DE", "pt_br", "xx"} {
		if _, _, ok := Of(code, false); ok {
			t.Errorf("there is a language %q", code)
		}
	}
}

// TestPartsOfAnAnalyzer: the seven of them, with ICU and without.
func TestPartsOfAnAnalyzer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		icu             bool
		tokenizer, fold string
	}{{false, "standard", "cjk_width lowercase asciifolding"}, {true, "icu_tokenizer", "icu_folding"}} {
		want := map[string]string{
			"i_prefix":          tc.tokenizer + ": " + tc.fold + " front_ngram",
			"q_prefix":          tc.tokenizer + ": " + tc.fold,
			"iq_text_base":      tc.tokenizer + ": " + tc.fold + " fr-stop-words-filter",
			"iq_text_stem":      tc.tokenizer + ": fr-elision " + tc.fold + " fr-stop-words-filter fr-stem-filter",
			"iq_text_delimiter": "whitespace: fr-elision delimiter " + tc.fold + " fr-stop-words-filter fr-stem-filter",
			"i_text_bigram":     tc.tokenizer + ": " + tc.fold + " fr-stem-filter bigram_joiner bigram_max_size",
			"q_text_bigram":     tc.tokenizer + ": " + tc.fold + " fr-stem-filter bigram_joiner_unigrams bigram_max_size",
		}
		got := map[string]string{}
		for name, a := range settingsOf(t, "fr", tc.icu).Analyzer {
			got[name] = a.Tokenizer + ": " + strings.Join(a.Filter, " ")
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("icu %v:\n%s", tc.icu, d)
		}
	}
}

type analysisSettings struct {
	Analyzer map[string]struct {
		Tokenizer string
		Filter    []string
	}
	Filter map[string]struct {
		Type, Language, StopWords string
		Articles                  []string
		IgnoreCase                bool `json:"articles_case"`
	}
}

func settingsOf(t *testing.T, code string, icu bool) analysisSettings {
	t.Helper()
	settings, _, ok := Of(code, icu)
	if !ok {
		t.Fatalf("%q is no language", code)
	}
	raw, err := json.Marshal(settings["analysis"])
	if err != nil {
		t.Fatal(err)
	}
	var out analysisSettings
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestElasticsearchAnalyses makes an index for every language and lets it cut a text into words.
func TestElasticsearchAnalyses(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, base string) {
		texts := map[string][3]string{ // analyzer, text, words
			"da":    {"iq_text_stem", "og husene", "hus"},
			"de":    {"iq_text_stem", "Die Häuser und die Straßen", "haus strass"},
			"en":    {"iq_text_delimiter", "the Wi-Fi's cats", "wifi wi fi cat"},
			"es":    {"iq_text_stem", "los caballos", "caball"},
			"fr":    {"iq_text_stem", "L'avion qu'il aime", "avion aime"},
			"it":    {"iq_text_stem", "dell'albero", "alber"},
			"ja":    {"iq_text_stem", "東京都", "東京 京都"},
			"ko":    {"iq_text_base", "서울 시", "서울 시"},
			"nl":    {"iq_text_stem", "de fietsen", "fiets"},
			"pt":    {"i_prefix", "Ação", "a ac aca acao"},
			"pt-br": {"q_text_bigram", "dois livros", "dois doislivr livr"},
			"ru":    {"iq_text_stem", "и книги", "книг"},
			"th":    {"q_prefix", "AB", "ab"},
			"zh":    {"i_text_bigram", "big cats", "bigcat"},
		}
		for _, code := range Languages() {
			t.Run(code, func(t *testing.T) {
				t.Parallel()
				settings, mappings, _ := Of(code, false)
				index := base + "/analysis-" + code + "-" + strings.ToLower(rand.Text())
				t.Cleanup(func() { send(context.WithoutCancel(t.Context()), t, http.MethodDelete, index, nil, nil) })
				send(t.Context(), t, http.MethodPut, index, map[string]any{"settings": settings, "mappings": mappings}, nil)
				var answer struct{ Tokens []struct{ Token string } }
				send(t.Context(), t, http.MethodPost, index+"/_analyze", map[string]any{"analyzer": texts[code][0], "text": texts[code][1]}, &answer)
				var words []string
				for _, token := range answer.Tokens {
					words = append(words, token.Token)
				}
				if got := strings.Join(words, " "); got != texts[code][2] {
					t.Errorf("%s of %q gives %q, want %q", texts[code][0], texts[code][1], got, texts[code][2])
				}
			})
		}
	})
}

func send(ctx context.Context, t *testing.T, method, url string, body, answer any) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if body == nil {
		raw = nil
	}
	raw = elastictest.Ask(ctx, t, method, url, string(raw))
	if answer != nil {
		if err := json.Unmarshal(raw, answer); err != nil {
			t.Fatal(err)
		}
	}
}
