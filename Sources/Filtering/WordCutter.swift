// Words as the published filters count them: datatrove cuts English text with spaCy's tokenizer, so that marks are words of their own,
// "don't" is two and "e.g." one. The rules are those of spaCy's English (`tokenizer.pyx`, `lang/punctuation.py`, MIT), written out by hand:
//
//   1. Marks at both ends of a stretch without white space come off, one at each end at a time, until a special form (a contraction,
//      an abbreviation, a smiley) or nothing to take off is left.
//   2. What is left is a special form, a web address, or is cut at marks in its middle.
//   3. Words that together spell a special form which these rules had cut apart are put together again.
//
// Most stretches are seen before and come out of a table; a new one takes time linear in its length.

/// Cuts stretches without white space into words.
package struct WordCutter {
  /// A word of a stretch.
  struct Piece {
    /// Bytes.
    var length: Int
    /// Code points.
    var characters: Int
    /// Fingerprint of the bytes.
    var hash: UInt64
    /// What is in it.
    var traits: TextShape.Traits
  }

  /// A stretch that was seen before: its words, `kept[first..<first + count]`, and its bytes, `texts[text..<text + length]`.
  private struct Entry {
    var hash: UInt64 = 0
    var first: UInt32 = 0
    var text: UInt32 = 0
    var count: UInt8 = 0
    var length: UInt8 = 0
  }

  private static let slots = 1 << 15
  private static let longestKept = 48
  private static let mostKept = 1 << 17
  private var entries = [Entry](repeating: Entry(), count: slots)
  private var kept: [Piece] = []
  private var texts: [UInt8] = []

  /// Where in the table stands what the last stretch was cut into. A slice of the table would be a second owner, and each word put into
  /// it a copy of all.
  private(set) var found = 0..<0
  /// Whether that is to be forgotten.
  private var isPassing = false
  private var passing = 0

  private let forms: Forms
  private var scalars: [UInt32] = []
  private var classes: [CharacterClass] = []
  private var widths: [Int] = []
  private var lengths: [Int] = []

  /// The special forms, and which words together spell one.
  private struct Forms {
    var specials: [[UInt32]: [Int]] = [:]
    var merges: [[UInt32]: (seen: [Int], whole: [Int])] = [:]
    /// Bits of fingerprints of forms that are letters alone.
    var maybe = [UInt64](repeating: 0, count: 1 << 8)
    /// Bits of first and last character and length of all forms: nearly everything else is told from them without a look-up.
    private var outlines = [UInt64](repeating: 0, count: 1 << 10)

    private static func outline(_ first: UInt32, _ last: UInt32, _ count: Int) -> Int {
      let mixed = (UInt64(first) << 32 ^ UInt64(last) << 8 ^ UInt64(count)) &* 0x9E37_79B9_7F4A_7C15
      return Int(truncatingIfNeeded: mixed >> 48)
    }

    mutating func add(_ form: [UInt32], _ lengths: [Int]) {
      guard let first = form.first, let last = form.last else { return }
      specials[form] = lengths
      let bit = Self.outline(first, last, form.count)
      outlines[bit >> 6] |= 1 << UInt64(bit & 63)
    }

    /// False only where `scalars[low..<high]`, one or more of them, are no special form.
    func mayHold(_ scalars: [UInt32], _ low: Int, _ high: Int) -> Bool {
      let bit = Self.outline(scalars[low], scalars[high - 1], high - low)
      return outlines[bit >> 6] & 1 << UInt64(bit & 63) != 0
    }
  }

  private static let english: Forms = {
    var forms = Forms()
    for (form, lengths) in EnglishContractions.all { forms.add(form.unicodeScalars.map(\.value), lengths) }
    var all = CharacterClasses()
    var cutter = WordCutter(forms)
    for (form, whole) in forms.specials {
      cutter.scalars = form
      cutter.classes = form.map { all.of($0) }
      let seen = cutter.cutMarks(withSpecials: false)
      if seen.count > 1, seen != whole { forms.merges[form] = (seen, whole) }
      if cutter.classes.allSatisfy({ !$0.contains(.active) }) {
        let bytes = form.map { UInt8(truncatingIfNeeded: $0) }
        let hash = TextShape.fingerprint(bytes.span, 0, bytes.count)
        forms.maybe[Int(hash >> 6 & 0xFF)] |= 1 << (hash & 63)
      }
    }
    return forms
  }()

  init() { self.init(Self.english) }

  private init(_ forms: Forms) { self.forms = forms }

  /// A word of the last stretch.
  @inline(__always)
  subscript(index: Int) -> Piece { kept[index] }

  /// Whether a stretch of letters alone may be a special form.
  @inline(__always)
  func isSpecial(_ hash: UInt64) -> Bool { forms.maybe[Int(hash >> 6 & 0xFF)] & 1 << (hash & 63) != 0 }

  /// Cuts `bytes[start..<end]`, whose fingerprint is `hash`; the words are in `pieces`.
  mutating func cut(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, hash: UInt64, _ all: inout CharacterClasses) {
    let slot = Int(truncatingIfNeeded: hash >> 40) & (Self.slots - 1)
    let entry = entries[slot]
    if entry.hash == hash, isText(of: entry, bytes, start, end) {
      found = Int(entry.first)..<Int(entry.first) + Int(entry.count)
      return
    }
    if isPassing {
      isPassing = false
      kept.removeLast(kept.count - passing)
    }
    decode(bytes, start, end, &all)
    lengths = cutMarks(withSpecials: true)
    joinSpecials()
    // A table that grows without end would not be one; what is in it does not change the words.
    if kept.count > Self.mostKept {
      kept.removeAll(keepingCapacity: true)
      texts.removeAll(keepingCapacity: true)
      for index in entries.indices { entries[index].count = 0 }
    }
    let first = kept.count
    var at = start
    var index = 0
    for length in lengths {
      var traits: TextShape.Traits = [.punctuation]
      var width = 0
      for position in index..<index + length {
        let kind = classes[position]
        if kind.contains(.letter) { traits.insert(.letter) }
        if kind.contains(.content) { traits.insert(.content) }
        if !kind.contains(.punctuation) { traits.remove(.punctuation) }
        width += widths[position]
      }
      if length == 1, classes[index].contains(.sentenceEnd) { traits.insert(.sentenceEnd) }
      kept.append(
        Piece(length: width, characters: length, hash: TextShape.fingerprint(bytes, at, at + width), traits: traits))
      at += width
      index += length
    }
    found = first..<kept.count
    if end - start <= Self.longestKept {
      entries[slot] = Entry(
        hash: hash, first: UInt32(first), text: UInt32(texts.count), count: UInt8(lengths.count), length: UInt8(end - start))
      for index in start..<end { texts.append(bytes[index]) }
    } else {
      isPassing = true
      passing = first
    }
  }

  /// Whether an entry is of these bytes: fingerprints alone are the same for some that differ, and which of them came first would show.
  @inline(__always)
  private func isText(of entry: Entry, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    guard entry.count > 0, Int(entry.length) == end - start else { return false }
    let text = Int(entry.text) - start
    for index in start..<end where texts[text + index] != bytes[index] { return false }
    return true
  }

  private mutating func decode(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ all: inout CharacterClasses) {
    scalars.removeAll(keepingCapacity: true)
    classes.removeAll(keepingCapacity: true)
    widths.removeAll(keepingCapacity: true)
    var index = start
    while index < end {
      var width = 1
      let scalar = bytes[index] < 0x80 ? UInt32(bytes[index]) : UTF8Scalar.decode(bytes, at: index, width: &width)
      scalars.append(scalar)
      classes.append(scalar == UTF8Scalar.malformed ? [.content, .active] : all.of(scalar))
      widths.append(width)
      index += width
    }
  }

  /// The lengths of the special form that `scalars[low..<high]` is.
  private func special(_ low: Int, _ high: Int) -> [Int]? {
    guard high - low <= EnglishContractions.longest, low < high, forms.mayHold(scalars, low, high) else { return nil }
    return forms.specials[Array(scalars[low..<high])]
  }

  /// Lengths of words after steps 1 and 2.
  private func cutMarks(withSpecials: Bool) -> [Int] {
    var low = 0
    var high = scalars.count
    var found: [Int] = []
    var suffixes: [Int] = []
    var last = -1
    while low < high, high - low != last {
      if withSpecials, special(low, high) != nil { break }
      last = high - low
      let prefix = prefixLength(low, high)
      if prefix > 0, withSpecials, special(low + prefix, high) != nil {
        found.append(prefix)
        low += prefix
        break
      }
      let suffix = suffixLength(low + prefix, high)
      if suffix > 0, withSpecials, special(low, high - suffix) != nil {
        suffixes.append(suffix)
        high -= suffix
        break
      }
      if prefix > 0 {
        found.append(prefix)
        low += prefix
      }
      if suffix > 0 {
        suffixes.append(suffix)
        high -= suffix
      }
    }
    if low < high {
      if withSpecials, let whole = special(low, high) {
        found += whole
      } else if WebAddress.matches(scalars, classes, low..<high) {
        found.append(high - low)
      } else {
        cutInside(low, high, &found)
      }
    }
    found += suffixes.reversed()
    return found
  }

  private func prefixLength(_ low: Int, _ high: Int) -> Int {
    guard low < high else { return 0 }
    if !classes[low].isDisjoint(with: [.edge, .opening]) { return 1 }
    let next = low + 1 < high ? scalars[low + 1] : 0
    switch scalars[low] {
    case 0x2E where next == 0x2E: return run(of: 0x2E, from: low, high)
    case 0x2B: return low + 1 < high && classes[low + 1].contains(.digit) ? 0 : 1
    case 0x43 where next == 0x24, 0x41 where next == 0x24: return 2
    case 0x55 where next == 0x53 && low + 2 < high && scalars[low + 2] == 0x24: return 3
    default: return 0
    }
  }

  private func run(of scalar: UInt32, from low: Int, _ high: Int) -> Int {
    var index = low
    while index < high, scalars[index] == scalar { index += 1 }
    return index - low
  }

  private func suffixLength(_ low: Int, _ high: Int) -> Int {
    guard low < high else { return 0 }
    let last = scalars[high - 1]
    let before = high - 2 >= low ? scalars[high - 2] : 0
    let kind: CharacterClass = high - 2 >= low ? classes[high - 2] : []
    if last == 0x2026, before == 0x2026 { return 2 }
    if classes[high - 1].contains(.edge) { return 1 }
    if last == 0x2E {
      var dots = 1
      while high - dots > low, scalars[high - dots - 1] == 0x2E { dots += 1 }
      if dots > 1 { return dots }
      if kind.contains(.beforeDot) { return 1 }
      guard high - 3 >= low else { return 0 }
      if kind.contains(.upper), classes[high - 3].contains(.upper) { return 1 }
      return scalars[high - 3] == 0xB0 && [0x46, 0x43, 0x4B].contains(before & ~0x20) ? 1 : 0
    }
    if last | 0x20 == 0x73, before == 0x27 || before == 0x2019 { return 2 }
    if last == 0x2B { return kind.contains(.digit) ? 1 : 0 }
    return unitLength(low, high)
  }

  /// A unit or a currency behind an ASCII digit.
  private func unitLength(_ low: Int, _ high: Int) -> Int {
    var index = high
    while index > low, high - index <= 5, !classes[index - 1].contains(.digit) { index -= 1 }
    guard index > low, index < high, classes[index - 1].contains(.digit) else { return 0 }
    if high - index == 1, classes[index].contains(.currency) { return 1 }
    return Self.units.contains(Array(scalars[index..<high])) ? high - index : 0
  }

  private static let units: Set<[UInt32]> = Set(
    """
    km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz m/s km/h kmh mph hPa Pa mbar mb MB kb KB gb \
    GB tb TB T G M K % км км² км³ м м² м³ дм дм² дм³ см см² см³ мм мм² мм³ нм кг г мг м/с км/ч кПа Па мбар Кб КБ кб Мб МБ мб Гб ГБ гб Тб \
    ТБ كم كم² كم³ م م² م³ سم سم² سم³ مم مم² مم³ غرام جرام جم كغ ملغ كوب اكواب US$ C$ A$
    """.split(separator: " ").map { $0.unicodeScalars.map(\.value) })

  /// Cuts what has no marks at its ends at those in its middle.
  private func cutInside(_ low: Int, _ high: Int, _ found: inout [Int]) {
    var start = low
    var index = low
    while index < high {
      let length = infixLength(index, low, high)
      if length == 0 {
        index += 1
        continue
      }
      if index > low {
        if index > start { found.append(index - start) }
        found.append(length)
        start = index + length
      }
      index += length
    }
    if start < high { found.append(high - start) }
  }

  private func infixLength(_ index: Int, _ low: Int, _ high: Int) -> Int {
    let kind = classes[index]
    guard kind.contains(.active), !kind.contains(.digit) else { return 0 }
    if kind.contains(.icon) { return 1 }
    let scalar = scalars[index]
    func at(_ position: Int) -> CharacterClass { position >= low && position < high ? classes[position] : [] }
    let before = at(index - 1)
    let after = at(index + 1)
    let isAfterName = !before.isDisjoint(with: [.lower, .upper, .digit])
    func name(_ position: Int) -> Bool { !at(position).isDisjoint(with: .cased) }
    switch scalar {
    case 0x2026: return 1
    case 0x2E:
      let dots = run(of: scalar, from: index, high)
      if dots > 1 { return dots }
      return !before.isDisjoint(with: [.lower, .quote]) && !after.isDisjoint(with: [.upper, .quote]) ? 1 : 0
    case 0x2B, 0x2A, 0x5E, 0x2D:
      if before.contains(.digit), index + 1 < high, after.contains(.digit) || scalars[index + 1] == 0x2D { return 1 }
      guard scalar == 0x2D, isAfterName else { return 0 }
      let dashes = run(of: scalar, from: index, min(high, index + 4))
      return dashes <= 3 && name(index + dashes) ? dashes : 0
    case 0x2C: return !before.isDisjoint(with: .cased) && name(index + 1) ? 1 : 0
    case 0x2013, 0x7E: return isAfterName && name(index + 1) ? 1 : 0
    case 0x2014:
      guard isAfterName else { return 0 }
      if name(index + 1) { return 1 }
      return index + 1 < high && scalars[index + 1] == 0x2014 && name(index + 2) ? 2 : 0
    case 0x3A, 0x3C, 0x3D, 0x3E, 0x2F: return isAfterName && name(index + 1) ? 1 : 0
    default: return 0
    }
  }

  /// Step 3: the longest forms first, then from the left.
  private mutating func joinSpecials() {
    guard lengths.count > 1 else { return }
    var matches: [(first: Int, count: Int, whole: [Int])] = []
    var start = 0
    for first in lengths.indices {
      var end = start
      for next in first..<lengths.count {
        end += lengths[next]
        guard end - start <= EnglishContractions.longest else { break }
        guard next > first, forms.mayHold(scalars, start, end), let merge = forms.merges[Array(scalars[start..<end])],
          merge.seen.elementsEqual(lengths[first...next])
        else {
          continue
        }
        matches.append((first, next - first + 1, merge.whole))
      }
      start += lengths[first]
    }
    guard !matches.isEmpty else { return }
    var taken = Set<Int>()
    var replaced: [Int: (count: Int, whole: [Int])] = [:]
    for match in matches.sorted(by: { ($1.count, $0.first) < ($0.count, $1.first) }) {
      let range = match.first..<match.first + match.count
      if !taken.contains(match.first), !taken.contains(range.upperBound - 1) { replaced[match.first] = (match.count, match.whole) }
      taken.formUnion(range)
    }
    var out: [Int] = []
    var index = 0
    while index < lengths.count {
      if let form = replaced[index] {
        out += form.whole
        index += form.count
      } else {
        out.append(lengths[index])
        index += 1
      }
    }
    lengths = out
  }
}

extension WordCutter {
  /// The words of a text, as the filters count them.
  package static func words(_ text: String) -> [String] {
    let bytes = Array(text.utf8)
    var shape = TextShape()
    shape.measure(bytes)
    return shape.words.map { String(decoding: bytes[$0.start..<$0.end], as: UTF8.self) }
  }
}
