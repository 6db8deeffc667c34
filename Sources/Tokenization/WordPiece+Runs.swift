extension WordPiece {
  /// Runs of scalars of one class: `first scalar << 3 | class`, each up to the next one's start. The classes are those of BERT's basic tokenizer
  /// as Hugging Face's library has them (Unicode 8, whatever the toolchain knows); `Tests/Parity/tokenizer.py` compares them.
  static let runs = CharacterClass.ascendingNumbers(
    #"""
    1Y2?A7a49e3c2e1c6]1c6NY895[15K597S2=K5K5T`4lKc35S25ln1T1cd1]1[:=d1W;979?9?94k:=i2_1K=;=Dg267;=l:T5c2MD4kH5<e17<\1D<<Lc4]397<4d7d6lFd2d>T
    2KET7L<T2<D<T1Ce3d6DC5TQ1l7l=4<4T1l1T14Ld1d2?=c25T44d>4T1LT24T5<\7<\>4T1<T1<DDL4d7<L4l2<\>4T1T1<<T14T5<S35T44d>4D4<LT24T24l2<d74\?4T34d<
    4\?D\1D<Ll1<l2<\74d>4D4d14\1<T5<\74l?LT24T5<dI4l1D<4[75T?4Dd1T3o15c2=\E4D\1<<l2\1c=e3;5L<l64<4<7Ml<\3<W19<\1d2<l8\24[2U1S1=dDL<\1<<D<k2]
    1T2<T1DT4L\34D<d14l34[G5\h4GU2kU15Sk4=Z46c6=cCET9D\7G=l6<d7<T@<<d1T24Dg2E;ED4c8i2E7dV14dMDT1<\24d1DS2=\d1<D4C=d=4<d1<4<4Dl1d1\2D4S8e1;]1
    D\3d@LT<4<T1<4\14k5e1d2T2T3<T8LD<<DT>4<<L4<Dc2MT;l1D<KU1c?=S@m1T2G9T3<d1T14d14L<da1\=d1LRP4g2Z1o5?Y19m4;U3;o27W19_2[3=c3=\@T3T14Ll2kU4M[
    7=[_8]3kC=k7]2kT3]5k?MS8=\l5Dk1M;=SL5d34THo7e;;e4Z_39ES1]2Cm2d2LC5S35lF<[15cF5UQ6k_c1U@koS5co9=[S2ElG4K9_25l7<TD?]1dR24L4T14\6<[CMTC4[2=
    T4\4c1E;5\:o1=l5d2[35T8DT<4DLD4S1U3S4=\14l@\1D<D<T34T24k3MT74l<4<DD<\1<<4S7=T3<C=T14dk14D4C5<4aTX3TPb1ko3d74kW4=T`1o3]2d1o3e8;]3;5S15;=i
    T17;E;]1;Mc2=K=c6E;5k65;5;e1iT1G97cP2Edn14dh14\U1T1S95S<5cW35ki55ka15k75\`1D<<\1LT:DT14S4U2c95\I<[2e1c@e1[FMTi84d=g3e1\<D\<LD?>:Md?DT9T1
    <l1k2Ml;7=d2<T=T2c1Y1G5[35;ElCDD4<?]1kJ5\=4Ll1\5<d>4L4\9d1LT1d_2\1<4T1<<<C5lj1Ld1<<?e5T1<\El1D4<?ElI4<4D\1<4\IDDL<T1S4E[\JU1[n[4=TP1W15d
    >g1U1S25db8LdRj4?6Ol`Y1DY2S2l1Dd1d7LTU1Dl^?d=T1\<T24d34CU1l3T1<d3TXLd1]Z^1kg]:U8kWR1UP2kS[1Udb2kW4Yh[`57a7oGTP1lk1QTl?_oo?A_oo?
    """#)
}
