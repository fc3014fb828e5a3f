package setting

// Nearest returns the one of words that a person most likely meant by word, and whether any is near enough to be worth saying: at most a
// third of the letters wrong.
func Nearest(word string, words []string) (string, bool) {
	best, distance := "", len(word)/3+2
	for _, w := range words {
		if d := editDistance(word, w); d < distance && d <= max(len(word), len(w))/3+1 {
			best, distance = w, d
		}
	}
	return best, best != "" && best != word
}

// DidYouMean returns the half-sentence that offers the nearest right word, or nothing.
func DidYouMean(word string, words []string) string {
	if w, ok := Nearest(word, words); ok {
		return "; did you mean " + w + "?"
	}
	return ""
}

// editDistance counts the letters to insert, delete or replace, and neighbours to swap, between a and b (optimal string alignment).
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
