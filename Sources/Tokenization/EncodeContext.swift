import CKernels

/// What one thread keeps between texts: the tokens of pre-tokens it has seen, and room to merge in. Never shared, hence no locks.
///
/// The cache (`tokenizer.c`) has sets of two pre-tokens of up to 15 bytes and 4 tokens, and one place for each longer one of up to 63 bytes and
/// 16 tokens; a new one takes the place of an old one. Its memory is fixed, and what it holds never changes the result.
public struct EncodeContext: Sendable {
  /// The kernel's cache.
  final class Cache: Sendable {
    nonisolated(unsafe) let pointer: OpaquePointer
    let bits: Int

    init(bits: Int) {
      self.bits = bits
      pointer = weir_token_cache_create(Int32(max(1, bits - 1)), Int32(max(1, bits - 4)))!
    }

    deinit { weir_token_cache_destroy(pointer) }
  }

  /// Room for the merge loops and for the tokens on their way.
  struct Scratch: Sendable {
    var symbols = [UInt32](repeating: 0, count: WordMerger.shortWord)
    var pairs = [WordMerger.Pair](repeating: (rank: 0, token: 0), count: WordMerger.shortWord)
    var long = LongWord()
    var tokens = [UInt32](repeating: 0, count: 4_096)
  }

  var cache: Cache
  var scratch = Scratch()
  /// The tokenizer whose tokens the cache holds.
  var owner: Tokenizer.Tables?

  /// Creates an empty context.
  /// - Parameter cacheBits: log₂ of the number of cached pre-tokens of 32 bytes each; an eighth as much goes to long ones of 128 bytes.
  public init(cacheBits: Int = 18) { cache = Cache(bits: min(24, max(0, cacheBits))) }

  /// Empties the cache where it belongs to another tokenizer, and parts from the copy that it may be shared with.
  mutating func adopt(_ tables: Tokenizer.Tables) {
    if !isKnownUniquelyReferenced(&cache) {
      cache = Cache(bits: cache.bits)
    } else if owner !== tables, owner != nil {
      weir_token_cache_clear(cache.pointer)
    }
    owner = tables
  }
}
