/// Maps byte strings to consecutive numbers in order of first appearance: open addressing over one arena, without an object per key.
struct ByteMap: Sendable {
  private var arena: [UInt8] = []
  private var offsets: [Int] = [0]
  private var hashes: [UInt32] = []
  private var table: [UInt32] = [UInt32](repeating: 0, count: 64)

  var count: Int { hashes.count }
  /// Total length of the keys in bytes.
  var byteCount: Int { arena.count }

  /// Creates a map with room for `keys` keys of `bytes` bytes in total.
  mutating func reserve(keys: Int, bytes: Int) {
    arena.reserveCapacity(bytes)
    offsets.reserveCapacity(keys + 1)
    hashes.reserveCapacity(keys)
    var capacity = table.count
    while capacity < 2 * keys { capacity *= 2 }
    if capacity > table.count { rehash(capacity) }
  }

  /// The number of a key, which is added if it is new.
  mutating func insert(_ key: UnsafeBufferPointer<UInt8>) -> Int {
    let hash = Self.hash(key)
    if let found = find(key, hash) { return found }
    if 2 * (count + 1) > table.count { rehash(2 * table.count) }
    let index = count
    arena.append(contentsOf: key)
    offsets.append(arena.count)
    hashes.append(hash)
    place(index)
    return index
  }

  /// The number of the key.
  func find(_ key: UnsafeBufferPointer<UInt8>) -> Int? { find(key, Self.hash(key)) }

  /// The number of the key.
  func find(_ key: [UInt8]) -> Int? { key.withUnsafeBufferPointer { find($0) } }

  /// The key of a number.
  func withKey<R>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
    try arena.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[offsets[index]..<offsets[index + 1]])) }
  }

  /// The length of the key of a number.
  func length(_ index: Int) -> Int { offsets[index + 1] - offsets[index] }

  private func find(_ key: UnsafeBufferPointer<UInt8>, _ hash: UInt32) -> Int? {
    let mask = table.count - 1
    var slot = Int(hash) & mask
    while table[slot] != 0 {
      let index = Int(table[slot] - 1)
      if hashes[index] == hash, withKey(index, { Self.equal($0, key) }) { return index }
      slot = (slot + 1) & mask
    }
    return nil
  }

  private mutating func place(_ index: Int) {
    let mask = table.count - 1
    var slot = Int(hashes[index]) & mask
    while table[slot] != 0 { slot = (slot + 1) & mask }
    table[slot] = UInt32(index + 1)
  }

  private mutating func rehash(_ capacity: Int) {
    table = [UInt32](repeating: 0, count: capacity)
    for index in 0..<count { place(index) }
  }

  @inline(__always)
  private static func equal(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    for index in 0..<a.count where a[index] != b[index] { return false }
    return true
  }

  /// A 32-bit hash, eight bytes at a time by multiply and fold.
  @inline(__always)
  private static func hash(_ key: UnsafeBufferPointer<UInt8>) -> UInt32 {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(key.count)
    let raw = UnsafeRawBufferPointer(key)
    var index = 0
    while index + 8 <= raw.count {
      state = (state ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* 0xD6E8_FEB8_6659_FD93
      state ^= state >> 32
      index += 8
    }
    var tail: UInt64 = 0
    while index < raw.count {
      tail = tail << 8 | UInt64(raw[index])
      index += 1
    }
    state = (state ^ tail) &* 0xD6E8_FEB8_6659_FD93
    state ^= state >> 32
    state = state &* 0xD6E8_FEB8_6659_FD93
    return UInt32(truncatingIfNeeded: state >> 32)
  }
}
