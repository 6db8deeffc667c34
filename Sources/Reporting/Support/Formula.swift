/// Formulas such as `A/N^α` and `(1 + D′/s)^(−γ)` as markup.
package enum Formula {
  /// `^x` and `^(…)` become superscripts; everything else is escaped text.
  package static func markup(_ formula: String) -> String {
    var markup = ""
    var rest = Substring(formula)
    while let caret = rest.firstIndex(of: "^") {
      markup += Escape.text(String(rest[..<caret]))
      rest = rest[rest.index(after: caret)...]
      let exponent = exponent(of: rest)
      guard !exponent.isEmpty else {
        markup += "^"
        continue
      }
      rest = rest.dropFirst(exponent.count)
      let isWrapped = exponent.hasPrefix("(") && exponent.hasSuffix(")")
      markup += "<sup>\(Escape.text(String(isWrapped ? exponent.dropFirst().dropLast() : exponent)))</sup>"
    }
    return markup + Escape.text(String(rest))
  }

  /// The exponent after a caret: a parenthesized expression, or letters, digits and a sign.
  private static func exponent(of text: Substring) -> Substring {
    guard text.first == "(" else { return text.prefix { $0.isLetter || $0.isNumber || $0 == "−" || $0 == "-" || $0 == "." } }
    var depth = 0
    for index in text.indices {
      if text[index] == "(" { depth += 1 }
      if text[index] == ")" { depth -= 1 }
      if depth == 0 { return text[...index] }
    }
    return ""
  }
}
