package catalog

import (
	"fmt"
	"slices"
	"strings"

	"musterline.example/setting"
	"musterline.example/source"
	"musterline.example/target"
)

// Capabilities returns docs/capabilities.md: what each kind can and cannot do, and what it asks for.
func Capabilities() string {
	var b strings.Builder
	b.WriteString("<!-- Generated from the kinds in catalog; `go test ./catalog -update` writes it. -->\n# Capabilities\n\n")
	b.WriteString("What each kind of source and target can do. ● it can · ○ it cannot. The conformance suites choose their cases by the same table.\n\n## Sources\n\n")
	sources := byTitle(Sources(), func(k source.Kind) string { return k.Title })
	var rows [][]cell
	for _, k := range sources {
		row := []cell{{text: k.Title}}
		for _, name := range source.Features {
			i := slices.IndexFunc(k.Features, func(f source.Feature) bool { return f.Name == name })
			row = append(row, mark(k.Features[i].Can, k.Features[i].Note))
		}
		rows = append(rows, row)
	}
	table(&b, append([]string{"Source"}, source.Features...), rows)

	b.WriteString("## Targets\n\n")
	targets := byTitle(Targets(), func(k target.Kind) string { return k.Title })
	var features []string
	for _, k := range targets {
		for _, f := range k.Features {
			if !slices.Contains(features, f.Name) {
				features = append(features, f.Name)
			}
		}
	}
	rows = nil
	for _, k := range targets {
		row := []cell{{text: k.Title}}
		for _, name := range features {
			i := slices.IndexFunc(k.Features, func(f target.Feature) bool { return f.Name == name })
			if i < 0 {
				row = append(row, mark(false, ""))
				continue
			}
			row = append(row, mark(k.Features[i].Can, k.Features[i].Note))
		}
		rows = append(rows, row)
	}
	table(&b, append([]string{"Target"}, features...), rows)

	b.WriteString("## Settings of sources\n\n")
	for _, k := range sources {
		settings(&b, k.Name, k.Title, k.Settings)
	}
	b.WriteString("## Settings of targets\n\nBeside these every target takes the settings of [configuration.md](configuration.md).\n\n")
	for _, k := range targets {
		settings(&b, k.Name, k.Title, k.Settings)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

type cell struct{ text, note string }

func mark(can bool, note string) cell {
	if can {
		return cell{"●", note}
	}
	return cell{"○", note}
}

// table writes a column for each kind and a row for each feature: the features are sentences, and the kinds fit beside each other.
func table(b *strings.Builder, heads []string, rows [][]cell) {
	b.WriteString("| " + heads[0])
	for _, row := range rows {
		b.WriteString(" | " + row[0].text)
	}
	b.WriteString(" |\n|---" + strings.Repeat("|---", len(rows)) + "|\n")
	for i, head := range heads[1:] {
		b.WriteString("| " + head)
		for _, row := range rows {
			c := row[i+1]
			b.WriteString(" | " + strings.TrimSpace(c.text+" "+c.note))
		}
		b.WriteString(" |\n")
	}
	b.WriteString("\n")
}

func settings(b *strings.Builder, name, title string, fields []setting.Field) {
	fmt.Fprintf(b, "### %s (`kind: %s`)\n\n", title, name)
	b.WriteString(setting.Table(fields))
	b.WriteString("\n")
}
