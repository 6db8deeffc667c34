import CKernels

extension Tokenizer {
  /// Appends the tokens of a text.
  /// - Parameters:
  ///   - text: any bytes.
  ///   - ids: receives the tokens.
  ///   - context: the thread's scratch memory.
  ///   - allowsSpecials: whether special tokens in the text become their ids instead of plain text.
  /// - Complexity: O(bytes), plus O(n log n) for a pre-token of n > 64 bytes.
  package func encode(_ text: [UInt8], into ids: inout [UInt32], context: inout EncodeContext, allowsSpecials: Bool = false) {
    context.adopt(tables)
    guard let search = tables.rawSearch else {
      encodeSegment(text, 0..<text.count, into: &ids, context: &context, allowsSpecials: allowsSpecials)
      return
    }
    var start = 0
    for match in search.matches(in: text, range: 0..<text.count, allowsSpecials: allowsSpecials) {
      encodeSegment(text, start..<max(start, match.range.lowerBound), into: &ids, context: &context, allowsSpecials: allowsSpecials)
      ids.append(match.id)
      start = match.range.upperBound
    }
    encodeSegment(text, start..<text.count, into: &ids, context: &context, allowsSpecials: allowsSpecials)
  }

  /// The tokens of a text; for many texts, reuse a context.
  public func encode(_ text: [UInt8], allowsSpecials: Bool = false) -> [UInt32] {
    var context = EncodeContext(cacheBits: 8)
    var ids: [UInt32] = []
    encode(text, into: &ids, context: &context, allowsSpecials: allowsSpecials)
    return ids
  }

  /// The tokens of a string.
  public func encode(_ text: String, allowsSpecials: Bool = false) -> [UInt32] { encode(Array(text.utf8), allowsSpecials: allowsSpecials) }

  /// The number of special tokens in a text, were they allowed. A normalizer is not applied.
  package func specialCount(in text: [UInt8]) -> Int {
    [tables.rawSearch, tables.normalizedSearch].reduce(0) { $0 + ($1?.specialCount(in: text) ?? 0) }
  }

  /// The bytes of tokens; ids outside the vocabulary are skipped (see `firstInvalid`).
  public func decode(_ ids: some Sequence<UInt32>) -> [UInt8] {
    var text: [UInt8] = []
    var isFirst = true
    for id in ids {
      let token = bytes(of: id)
      if isFirst, !token.isEmpty, tables.rules.leadingBlanks == .firstToken {
        text.append(contentsOf: token.filter { $0 != 0x20 })
      } else {
        text.append(contentsOf: token)
      }
      isFirst = isFirst && token.isEmpty
    }
    if case .upTo(let most) = tables.rules.leadingBlanks { text.removeFirst(text.prefix(most).prefix { $0 == 0x20 }.count) }
    return text
  }

  /// The position of the first id outside the vocabulary.
  package func firstInvalid(in ids: [UInt32]) -> Int? {
    ids.firstIndex { bytes(of: $0).isEmpty }
  }

  /// The text between added tokens, which is normalized, and may have tokens that are found only then.
  private func encodeSegment(
    _ text: [UInt8], _ range: Range<Int>, into ids: inout [UInt32], context: inout EncodeContext, allowsSpecials: Bool
  ) {
    guard !range.isEmpty else { return }
    var part = text
    var whole = range
    if normalizes, !tables.rules.normalizer.leaves(text, range) {
      part = tables.rules.normalizer.apply(range.count == text.count ? text : Array(text[range]))
      whole = 0..<part.count
    }
    var start = whole.lowerBound
    for match in tables.normalizedSearch?.matches(in: part, range: whole, allowsSpecials: allowsSpecials) ?? [] {
      let end = max(start, match.range.lowerBound)
      encodePart(part, start..<end, isFirst: range.lowerBound == 0 && start == whole.lowerBound, into: &ids, context: &context)
      ids.append(match.id)
      start = match.range.upperBound
    }
    encodePart(part, start..<whole.upperBound, isFirst: range.lowerBound == 0 && start == whole.lowerBound, into: &ids, context: &context)
  }

  /// The text between added tokens of both kinds.
  private func encodePart(_ text: [UInt8], _ range: Range<Int>, isFirst: Bool, into ids: inout [UInt32], context: inout EncodeContext) {
    guard !range.isEmpty else { return }
    var part = text
    var range = range
    if tables.rules.readsMarks {
      part = Normalizer.blanks(range.count == text.count ? text : Array(text[range]))
      range = 0..<part.count
    }
    if tables.rules.hasPrefix(isFirst: isFirst), part[range.lowerBound] != 0x20 {
      part = [0x20] + part[range]
      range = 0..<part.count
    }
    if range.count <= tables.longestWhole, let token = token(of: Array(part[range])) {
      ids.append(token)
      return
    }
    part.withUnsafeBufferPointer { buffer in
      encodeWords(UnsafeBufferPointer(rebasing: buffer[range]), into: &ids, cache: context.cache.pointer, scratch: &context.tokens)
    }
  }

  /// Splits and merges in the kernel; a very long pre-token separately.
  private func encodeWords(
    _ text: UnsafeBufferPointer<UInt8>, into ids: inout [UInt32], cache: OpaquePointer, scratch: inout [UInt32]
  ) {
    guard let bytes = text.baseAddress else { return }
    let merges = tables.mergeTable.pointer
    withUnsafePointer(to: tables.splitter.kernel) { pattern in
      var cutter = weir_cutter()
      weir_cutter_start(&cutter, pattern, bytes, text.count)
      var done: Int32 = 0
      while done == 0 {
        var start = 0
        var end = 0
        scratch.withUnsafeMutableBufferPointer { tokens in
          let made = weir_encode(cache, merges, &cutter, tokens.baseAddress, tokens.count, &start, &end, &done)
          ids.append(contentsOf: UnsafeBufferPointer(rebasing: tokens[..<made]))
        }
        if end > 0 { encodeWord(UnsafeBufferPointer(rebasing: text[start..<end]), into: &ids, merges) }
      }
    }
  }

  /// Appends the tokens of a long pre-token, merged in place.
  private func encodeWord(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [UInt32], _ merges: OpaquePointer) {
    let base = ids.count
    let piece = min(word.count, 1 << 14) + Int(WEIR_STRETCH)
    var position = 0
    var count = 0
    while position < word.count {
      ids.append(contentsOf: repeatElement(0, count: base + count + piece - ids.count))
      count = ids.withUnsafeMutableBufferPointer { ids in
        weir_encode_word(merges, word.baseAddress, word.count, &position, ids.baseAddress.map { $0 + base }, count, count + piece)
      }
      precondition(count >= 0, "out of memory")
    }
    ids.removeLast(ids.count - base - count)
    guard tables.mergeTable.replaces else { return }
    let made = Array(ids[base...])
    ids.append(contentsOf: repeatElement(0, count: word.count - count))
    count = ids.withUnsafeMutableBufferPointer { weir_merges_finish(merges, word.baseAddress, made, made.count, $0.baseAddress! + base) }
    ids.removeLast(ids.count - base - count)
  }
}
