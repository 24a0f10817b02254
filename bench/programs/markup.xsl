<?xml version="1.0"?>
<!-- SPDX-License-Identifier: MIT -->
<!-- Render the book as HTML: a sorted list of contents, and the text. -->
<xsl:stylesheet version="1.0"
  xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="html"/>
  <xsl:key name="section" match="section" use="@id"/>

  <xsl:template match="/book">
    <html>
      <ul>
        <xsl:for-each select="chapter/section">
          <xsl:sort select="title"/>
          <xsl:sort select="@id"/>
          <li><xsl:value-of select="concat(../@title, ': ', title)"/></li>
        </xsl:for-each>
      </ul>
      <xsl:apply-templates select="chapter"/>
    </html>
  </xsl:template>

  <xsl:template match="chapter">
    <h1><xsl:number/>. <xsl:value-of select="@title"/></h1>
    <xsl:apply-templates select="section"/>
  </xsl:template>

  <xsl:template match="section">
    <xsl:variable name="long" select="p[string-length(.) &gt; 150]"/>
    <h2 class="level{@level}"><xsl:value-of select="title"/></h2>
    <p>words: <xsl:value-of select="count($long)"/>;
      <xsl:value-of select="translate(title, 'abcde', 'ABCDE')"/></p>
    <xsl:apply-templates select="p"/>
  </xsl:template>

  <xsl:template match="p">
    <p><xsl:apply-templates/></p>
  </xsl:template>

  <xsl:template match="a">
    <a href="#{@ref}"><xsl:value-of select="key('section', @ref)/title"/></a>
  </xsl:template>

  <xsl:template match="em">
    <em><xsl:value-of select="normalize-space(.)"/></em>
  </xsl:template>
</xsl:stylesheet>
