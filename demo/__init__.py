"""`make demo`: the whole product on this computer, from StartSearchJob to the mail."""
