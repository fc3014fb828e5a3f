package setting

import "strings"

// Table returns the fields as a Markdown table, for documentation.
func Table(fields []Field) string {
	var b strings.Builder
	b.WriteString("| key | takes | default | |\n|---|---|---|---|\n")
	for _, f := range fields {
		takes := string(f.Type)
		if f.Type == Choice {
			takes = "`" + strings.Join(f.Choices, "` `") + "`"
		}
		value := ""
		switch {
		case f.Default != "":
			value = "`" + f.Default + "`"
		case f.Required:
			value = "required"
		}
		help := f.Help
		if f.Example != "" {
			help += " Example: `" + f.Example + "`"
		}
		b.WriteString("| `" + f.Key + "` | " + takes + " | " + value + " | " + strings.ReplaceAll(help, "|", `\|`) + " |\n")
	}
	return b.String()
}
