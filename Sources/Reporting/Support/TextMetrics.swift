/// Estimates of text widths in common sans-serif fonts, slightly generous, so that a label that fits here fits on the page.
package enum TextMetrics {
  /// The width of a line of text in pixels.
  /// - Parameter size: the font size in pixels.
  package static func width(_ text: String, size: Double) -> Double {
    var units = 0.0
    for scalar in text.unicodeScalars {
      switch scalar {
      case "i", "j", "l", "I", "|", "'", ".", ",", ":", ";", "!": units += 0.29
      case "f", "t", "r", " ", "\u{A0}", "(", ")", "-", "/", "·": units += 0.38
      case "m", "w", "M", "W", "—", "@", "%": units += 0.90
      case "A"..."Z": units += 0.69
      case "s", "c", "k", "v", "x", "y", "z": units += 0.55
      default: units += scalar.value < 0x2E80 ? 0.60 : 1.0
      }
    }
    return units * size
  }

  /// The text, shortened with an ellipsis if it does not fit; empty if not even three characters do.
  package static func fit(_ text: String, into width: Double, size: Double) -> String {
    if Self.width(text, size: size) <= width { return text }
    var kept = Array(text)
    while kept.count > 3 {
      kept.removeLast()
      while let last = kept.last, last == " " || last == "," || last == "·" { kept.removeLast() }
      let candidate = String(kept) + "…"
      if Self.width(candidate, size: size) <= width { return candidate }
    }
    return ""
  }

  /// The words of a text on as many lines as it takes; a word is never cut.
  package static func wrap(_ text: String, into width: Double, size: Double) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ").map(String.init) {
      if let last = lines.last, Self.width(last + " " + word, size: size) <= width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(word)
      }
    }
    return lines
  }

  /// As many of the words as fit, joined by a separator; the first one is shortened if it does not fit alone.
  package static func fit(words: [String], separator: String = ", ", into width: Double, size: Double) -> String {
    var text = ""
    for word in words {
      let longer = text.isEmpty ? word : text + separator + word
      if Self.width(longer, size: size) > width { break }
      text = longer
    }
    return text.isEmpty ? fit(words.first ?? "", into: width, size: size) : text
  }
}
