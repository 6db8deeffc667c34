package enum Escape {
  /// The text for an element or a quoted attribute: markup characters as entities, without the characters that XML 1.0 forbids.
  package static func text(_ text: String) -> String {
    var safe = ""
    safe.reserveCapacity(text.utf8.count + 16)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": safe += "&amp;"
      case "<": safe += "&lt;"
      case ">": safe += "&gt;"
      case "\"": safe += "&quot;"
      case "'": safe += "&#39;"
      case "\t", "\n", "\r": safe.unicodeScalars.append(scalar)
      default:
        let isForbidden = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value & 0xFFFE == 0xFFFE
        if !isForbidden { safe.unicodeScalars.append(scalar) }
      }
    }
    return safe
  }
}
