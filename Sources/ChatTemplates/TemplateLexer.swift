import Primitives

/// A token of a template, with the line it begins in.
struct TemplateToken: Equatable {
  enum Kind: Equatable {
    /// Text outside of tags.
    case text([UInt8])
    case blockBegin, blockEnd, variableBegin, variableEnd
    case name(String)
    case string([UInt8])
    case integer(Int)
    case double(Double)
    case symbol(String)
    case end
  }

  var kind: Kind
  var line: Int

  /// As it is named in errors.
  var text: String {
    switch kind {
    case .text: "text"
    case .blockBegin: "{%"
    case .blockEnd: "%}"
    case .variableBegin: "{{"
    case .variableEnd: "}}"
    case .name(let name): name
    case .string(let bytes): "'\(String(decoding: bytes, as: UTF8.self))'"
    case .integer(let value): "\(value)"
    case .double(let value): "\(value)"
    case .symbol(let symbol): symbol
    case .end: "the end of the template"
    }
  }
}

/// Divides a template into tokens, with the white space around tags removed as by Jinja with `trim_blocks` and `lstrip_blocks`, which is
/// how transformers reads chat templates.
struct TemplateLexer {
  private let source: [UInt8]
  private let place: String
  private var position = 0
  private var line = 1
  private var tokens: [TemplateToken] = []

  static func tokens(_ source: [UInt8], place: String) throws -> [TemplateToken] {
    var lexer = TemplateLexer(source, place: place)
    try lexer.run()
    return lexer.tokens
  }

  /// A single newline at the end of the template is not part of it, and all newlines are `\n`.
  private init(_ source: [UInt8], place: String) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(source.count)
    var previous: UInt8 = 0
    for byte in source {
      if byte != 0x0A || previous != 0x0D { bytes.append(byte == 0x0D ? 0x0A : byte) }
      previous = byte
    }
    if bytes.last == 0x0A { bytes.removeLast() }
    (self.source, self.place) = (bytes, place)
  }

  private func failure(_ reason: String) -> WeirError { WeirError("\(place):\(line)", reason) }

  private func at(_ offset: Int = 0) -> UInt8? { position + offset < source.count ? source[position + offset] : nil }

  private func starts(with text: String) -> Bool { source[position...].starts(with: text.utf8) }

  private mutating func add(_ kind: TemplateToken.Kind) { tokens.append(TemplateToken(kind: kind, line: line)) }

  private mutating func advance(to end: Int) {
    for index in position..<end where source[index] == 0x0A { line += 1 }
    position = end
  }

  private mutating func skipSpace() {
    let rest = PythonText.strip(source[position...], right: false)
    advance(to: source.count - rest.count)
  }

  private mutating func run() throws {
    while position < source.count {
      let start = position
      var end = start
      while end < source.count, !(source[end] == 0x7B && end + 1 < source.count && [0x7B, 0x25, 0x23].contains(source[end + 1])) {
        end += 1
      }
      let sign = end + 2 < source.count ? source[end + 2] : 0
      let isVariable = end + 1 < source.count && source[end + 1] == 0x7B
      var text = source[start..<end]
      if end < source.count {
        if sign == 0x2D {
          text = PythonText.strip(text, left: false)
        } else if sign != 0x2B, !isVariable {
          // Blanks between the beginning of a line and a block.
          let lineStart = (text.lastIndex(of: 0x0A).map { $0 + 1 }) ?? start
          if lineStart > start || start == 0 || source[start - 1] == 0x0A, PythonText.strip(text[lineStart...]).isEmpty {
            text = text[..<lineStart]
          }
        }
      }
      if !text.isEmpty { add(.text(Array(text))) }
      advance(to: end)
      guard end < source.count else { break }
      let kind = source[end + 1]
      advance(to: end + (sign == 0x2D || sign == 0x2B ? 3 : 2))
      if kind == 0x23 { try comment() } else { try tag(isVariable: isVariable) }
    }
    add(.end)
  }

  private mutating func comment() throws {
    let begin = line
    while position < source.count, !starts(with: "#}") { advance(to: position + 1) }
    guard position < source.count else {
      line = begin
      throw failure("a comment is not closed by #}")
    }
    let sign = source[position - 1]
    advance(to: position + 2)
    trim(sign, newline: true)
  }

  /// Skips what the end of a tag removes: all white space after `-`, nothing after `+`, else one newline after a block.
  private mutating func trim(_ sign: UInt8, newline: Bool) {
    if sign == 0x2D { skipSpace() } else if sign != 0x2B, newline, at() == 0x0A { advance(to: position + 1) }
  }

  private mutating func tag(isVariable: Bool) throws {
    let begin = line
    add(isVariable ? .variableBegin : .blockBegin)
    var open: [UInt8] = []
    while true {
      skipSpace()
      guard let byte = at() else {
        line = begin
        throw failure("a tag is not closed by \(isVariable ? "}}" : "%}")")
      }
      if open.isEmpty {
        let sign = byte == 0x2D || byte == 0x2B && !isVariable ? byte : 0
        let offset = sign == 0 ? 0 : 1
        if at(offset) == (isVariable ? 0x7D : 0x25), at(offset + 1) == 0x7D {
          add(isVariable ? .variableEnd : .blockEnd)
          advance(to: position + offset + 2)
          return trim(sign, newline: !isVariable)
        }
      }
      switch byte {
      case 0x30...0x39: try number()
      case 0x41...0x5A, 0x61...0x7A, 0x5F:
        let name = source[position...].prefix { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 == 0x5F || (0x30...0x39).contains($0) }
        add(.name(String(decoding: name, as: UTF8.self)))
        position += name.count
      case 0x22, 0x27: try string()
      default: try symbol(&open)
      }
    }
  }

  private mutating func number() throws {
    func digits(_ from: Int) -> Int {
      var end = from
      while end < source.count, (0x30...0x39).contains(source[end]) || source[end] == 0x5F && end > from { end += 1 }
      return end
    }
    var end = digits(position), isInteger = true
    if end + 1 < source.count, source[end] == 0x2E, (0x30...0x39).contains(source[end + 1]) { (end, isInteger) = (digits(end + 1), false) }
    let text = String(decoding: source[position..<end].filter { $0 != 0x5F }, as: UTF8.self)
    if isInteger, let value = Int(text) {
      add(.integer(value))
    } else if !isInteger, let value = Double(text) {
      add(.double(value))
    } else {
      throw failure("\(text) is not a number that templates may contain")
    }
    position = end
  }

  private mutating func string() throws {
    let quote = source[position], begin = line
    var end = position + 1
    while end < source.count, source[end] != quote { end += source[end] == 0x5C ? 2 : 1 }
    guard end < source.count else { throw failure("a string is not closed by \(Character(Unicode.Scalar(quote)))") }
    let value = try unescape(source[(position + 1)..<end])
    tokens.append(TemplateToken(kind: .string(value), line: begin))
    advance(to: end + 1)
  }

  /// Replaces Python's escapes; an unknown one stays as it is.
  private func unescape(_ text: ArraySlice<UInt8>) throws -> [UInt8] {
    guard text.contains(0x5C) else { return Array(text) }
    let simple: [UInt8: UInt8] = [
      0x6E: 0x0A, 0x74: 0x09, 0x72: 0x0D, 0x5C: 0x5C, 0x27: 0x27, 0x22: 0x22, 0x61: 7, 0x62: 8, 0x66: 0x0C, 0x76: 0x0B, 0x30: 0,
    ]
    var result: [UInt8] = [], rest = text
    while let byte = rest.popFirst() {
      guard byte == 0x5C, let next = rest.popFirst() else {
        result.append(byte)
        continue
      }
      let digits = next == 0x78 ? 2 : next == 0x75 ? 4 : next == 0x55 ? 8 : 0
      if next == 0x0A { continue }
      if let value = simple[next] {
        result.append(value)
      } else if digits > 0 {
        let code = String(decoding: rest.prefix(digits), as: UTF8.self)
        guard code.utf8.count == digits, let scalar = UInt32(code, radix: 16).flatMap(Unicode.Scalar.init) else {
          throw failure("a string has a broken escape")
        }
        result.append(contentsOf: Array(String(Character(scalar)).utf8))
        rest = rest.dropFirst(digits)
      } else {
        result += [byte, next]
      }
    }
    return result
  }

  private mutating func symbol(_ open: inout [UInt8]) throws {
    for symbol in ["==", "!=", "<=", ">=", "//", "**"] where starts(with: symbol) {
      add(.symbol(symbol))
      position += 2
      return
    }
    let byte = source[position]
    switch byte {
    case 0x28, 0x5B, 0x7B: open.append(byte)
    case 0x29, 0x5D, 0x7D:
      guard let last = open.popLast(), last == (byte == 0x29 ? 0x28 : byte - 2) else {
        throw failure("unexpected \(Character(Unicode.Scalar(byte)))")
      }
    case 0x2B, 0x2D, 0x2F, 0x2A, 0x25, 0x7E, 0x2E, 0x3A, 0x7C, 0x2C, 0x3D, 0x3C, 0x3E: break
    default:
      let text = String(decoding: source[position...].prefix(4), as: UTF8.self)
      throw failure("unexpected \"\(text.prefix(1))\"")
    }
    add(.symbol(String(Character(Unicode.Scalar(byte)))))
    position += 1
  }
}
